// What goes over the links of a cluster actor.

#include <callboard/actors/cluster/cluster_actor.hpp>

#include <string>
#include <vector>

#include "actors/cluster/cluster_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using strings = std::vector<std::string>;

namespace {

using fixture = pair_fixture;

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(shards know the nodes of a view) {
  CHECK_EQ(words_of(*sets["a0"]), "2: b");
  CHECK_EQ(words_of(*sets["b0"]), "2: a");
  CHECK_EQ(b_at_a().gate, two);
  CHECK_EQ(a_at_b().gate, one);
  // Both deal the topics in the same way.
  size_t here = 0;
  for (int i = 0; i < 100; ++i) {
    auto topic = std::to_string(i);
    auto x = sets["a0"]->owner_of(topic);
    auto y = sets["b0"]->owner_of(topic);
    REQUIRE_EQ(x == peer_set::here, y == 0);
    REQUIRE_EQ(x == 0, y == peer_set::here);
    here += x == peer_set::here ? 1 : 0;
  }
  CHECK(here > 20);
  CHECK(here < 80);
}

CAF_TEST(brokers are told before routers) {
  add_shard(one, shard_kind::router, 0, "r0");
  add_shard(one, shard_kind::broker, 1, "a1");
  CHECK_EQ(take_got(), (strings{"r0 set 2: b", "a1 set 2: b"}));
  start(c, {"a:1"});
  pass(2s);
  strings told;
  for (auto& x : take_got())
    if (x.starts_with("r0") || x.starts_with("a"))
      told.push_back(x.substr(0, 6));
  CHECK_EQ(told, (strings{"a0 set", "a1 set", "r0 set"}));
}

CAF_TEST(a batch goes to its shard) {
  add_shard(two, shard_kind::router, 3, "r3");
  take_got();
  send(two, batch_to(sets["a0"], 0, "hi"));
  CHECK_EQ(take_got(), strings{"b0 batch 0 hi"});
  auto x = batch_to(sets["a0"], 0, "you");
  x.kind = static_cast<uint8_t>(shard_kind::router);
  x.shard = 3;
  send(two, x);
  CHECK_EQ(take_got(), strings{"r3 batch 0 you"});
}

CAF_TEST(a batch for no shard is dropped and done with) {
  auto x = batch_to(sets["a0"], 0, "hi");
  x.shard = 1;
  send(two, x);
  x.shard = ~uint32_t{0};
  send(two, x);
  x.kind = 2;
  send(two, x);
  CHECK_EQ(take_got(), strings{});
  CHECK_EQ(counted("cluster-stray-batches"), 3);
  CHECK_EQ(a_at_b().traffic->received.load(), 6u);
}

CAF_TEST(a batch that its shard has not come to is done with) {
  auto shard = add_shard(two, shard_kind::broker, 1, "b1");
  take_got();
  auto x = batch_to(sets["a0"], 0, "hi");
  x.shard = 1;
  // It waits as the shard dies, or comes after that.
  caf::anon_send(two, x);
  sched.run_once();
  caf::anon_send_exit(shard, caf::exit_reason::kill);
  sched.run();
  auto before = a_at_b().traffic->received.load();
  send(two, x);
  CHECK_EQ(before, 2u);
  CHECK_EQ(a_at_b().traffic->received.load(), 4u);
}

CAF_TEST(a batch of no link is dropped) {
  auto x = batch_to(sets["a0"], 0, "hi");
  ++x.link;
  send(two, x);
  x.link = 0;
  send(two, x);
  CHECK_EQ(take_got(), strings{});
  CHECK_EQ(counted("cluster-stale-batches"), 2);
}

CAF_TEST(what comes before its view waits for it in order) {
  auto x = batch_to(sets["a0"], 0, "first");
  ++x.view;
  send(two, x);
  send(two, batch_to(sets["a0"], 0, "second"));
  CHECK_EQ(take_got(), strings{});
  CHECK_EQ(counted("cluster-held-batches"), 2);
  start(c, {"a:1"});
  pass(2s);
  strings told;
  for (auto& y : take_got())
    if (y.starts_with("b0"))
      told.push_back(y);
  CHECK_EQ(told,
           (strings{"b0 set 3: a c", "b0 batch 0 first", "b0 batch 0 second"}));
}

CAF_TEST(a link that holds too much ends) {
  cluster_options options;
  options.outbox_bytes_max = 1000;
  auto x = start(c, {"a:1"}, options);
  add_shard(x, shard_kind::broker, 0, "c0");
  pass(2s);
  REQUIRE_EQ(words_of(*sets["a0"]), "3: b c");
  // Its shards know how much may be on its way.
  CHECK_EQ(sets["c0"]->outbox_bytes_max, 1000u);
  auto late = batch_to(sets["a0"], 1, std::string(400, 'x'));
  ++late.view;
  send(x, late);
  CHECK(facts(x, "a").linked);
  send(x, late);
  send(x, late);
  CHECK(!facts(x, "a").linked);
  CHECK(noted("c: link_down a: it goes by a view that never came"));
}

CAF_TEST(what shards are done with is acknowledged) {
  auto& sent = *b_at_a().traffic;
  sent.sent = 3000;
  CHECK_EQ(sent.outstanding(), 3000u);
  a_at_b().traffic->received = 1000;
  // With the next heartbeat.
  pass(1s);
  CHECK_EQ(sent.acknowledged.load(), 1000u);
  // With a batch.
  auto x = batch_to(sets["b0"], 0, "hi");
  x.acknowledged = 2000;
  send(one, x);
  CHECK_EQ(sent.outstanding(), 1000u);
  x.acknowledged = 1500;
  send(one, x);
  CHECK_EQ(sent.outstanding(), 1000u);
}

CAF_TEST(much is acknowledged before the next heartbeat) {
  auto& sent = *b_at_a().traffic;
  for (uint64_t i = 1; i <= 20; ++i) {
    a_at_b().traffic->received = i * cluster_acknowledge_bytes;
    pass(250ms);
    CHECK_EQ(sent.acknowledged.load(), i * cluster_acknowledge_bytes);
  }
}

CAF_TEST(a node that does not take what it is sent is down) {
  auto old = b_at_a().traffic;
  old->sent = 64 * 1024 * 1024;
  pass(250ms);
  CHECK(facts(one, "b").linked);
  ++old->sent;
  pass(250ms);
  CHECK(!facts(one, "b").linked);
  CHECK(noted("a: link_down b: it does not take what it is sent"));
  CHECK_EQ(counted("cluster-overflows"), 1);
  pass(10s);
  CHECK_EQ(words_of(*sets["a0"]).substr(2), "");
  CHECK_EQ(words_of(*sets["b0"]).substr(2), "");
  pass(49s);
  CHECK(!facts(one, "b").linked);
  // A minute later it may try again.
  pass(20s);
  CHECK_EQ(view_of(one), view_of(two));
  CHECK_EQ(words_of(*sets["a0"]).substr(2), " b");
  CHECK_EQ(b_at_a().traffic->outstanding(), 0u);
}

CAF_TEST(a node that was dropped begins a new round with who dropped it) {
  auto old = batch_to(sets["a0"], 0, "old");
  auto traffic = a_at_b().traffic;
  // As if it had gone by a view of its own for a moment.
  caf::anon_send(one, std::string{"b"}, cluster_view{9, "b", {b}});
  pass(3s);
  CHECK_EQ(view_of(one), view_of(two));
  CHECK(a_at_b().traffic != traffic);
  send(two, old);
  CHECK_EQ(counted("cluster-stale-batches"), 1);
}

CAF_TEST(a shard that takes the place of another has the set at once) {
  add_shard(one, shard_kind::broker, 0, "again");
  CHECK_EQ(take_got(), strings{"again set 2: b"});
  send(one, batch_to(sets["b0"], 0, "hi"));
  CHECK_EQ(take_got(), strings{"again batch 0 hi"});
}

CAF_TEST(facts tell what there is to see) {
  a_at_b().traffic->received = 7;
  b_at_a().traffic->sent = 9;
  pass(2s);
  auto x = facts(one, "b");
  CHECK(x.in_view);
  CHECK(x.heard);
  CHECK_EQ(x.outstanding_bytes, 2u);
  CHECK_EQ(x.sent_bytes, 9u);
  CHECK(x.round_trip_ms >= 0);
  CHECK_EQ(x.owner_share, 0.5);
}

END_FIXTURE_SCOPE()
