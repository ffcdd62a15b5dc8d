// From when on a node takes clients.

#include <callboard/actors/cluster/cluster_actor.hpp>

#include <string>
#include <utility>
#include <vector>

#include <caf/typed_response_promise.hpp>

#include "actors/cluster/cluster_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

namespace {

using strings = std::vector<std::string>;

struct fixture : cluster_fixture {
  ~fixture() override {
    unsettled.clear();
  }

  /// Tells a node that it knows all addresses.
  void complete(const caf::actor& gate) {
    caf::anon_send(gate, join_atom_v);
    sched.run();
  }

  /// Gives a node a broker shard, which settles when the test lets it.
  void add_slow_shard(const caf::actor& gate) {
    shard = sys.spawn([this](caf::event_based_actor* actor) {
      return caf::behavior{
        [](cluster_atom, const peer_set_ptr&) {},
        [](cluster_atom, const lighter_nodes_ptr&) {},
        [this, actor](leave_atom) -> caf::result<void> {
          unsettled.push_back(actor->make_response_promise<void>());
          return unsettled.back();
        },
        [this](expire_atom) {
          for (auto& x : std::exchange(unsettled, {}))
            x.deliver();
        },
      };
    });
    caf::anon_send(gate, cluster_atom_v,
                   static_cast<uint8_t>(shard_kind::broker), uint32_t{0},
                   shard);
    sched.run();
  }

  void settle() {
    caf::anon_send(shard, expire_atom_v);
    sched.run();
  }

  caf::actor shard;
  std::vector<caf::typed_response_promise<void>> unsettled;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(a node that looks for nobody is ready at once) {
  auto x = start(a);
  CHECK_EQ(ready, strings{});
  complete(x);
  CHECK_EQ(ready, strings{"a"});
  CHECK(noted("a: ready a"));
  pass(60s);
  CHECK_EQ(ready, strings{"a"});
  CHECK(!noted("a: join_late a"));
}

CAF_TEST(a node is ready when it has found nobody) {
  auto x = start(a);
  for (auto* address : {"b:1", "c:1", "a:1"}) {
    CHECK_EQ(ready, strings{});
    caf::anon_send(x, join_atom_v, std::string{address});
    sched.run();
  }
  // There may be more of them.
  CHECK_EQ(ready, strings{});
  complete(x);
  CHECK_EQ(ready, strings{"a"});
  for (auto* address : {"b:1", "c:1", "a:1"})
    CHECK(dials[address] > 0);
}

CAF_TEST(a node is ready when all have settled in a view with others) {
  complete(start(a));
  ready.clear();
  auto y = start(b, {"a:1"});
  add_slow_shard(y);
  complete(y);
  pass(2s);
  CHECK_EQ(view_of(y), "2 a: a b");
  CHECK_EQ(unsettled.size(), 1u);
  CHECK_EQ(ready, strings{});
  settle();
  CHECK_EQ(ready, strings{"b"});
  CHECK(noted("b: ready a,b"));
  pass(60s);
  CHECK_EQ(ready, strings{"b"});
  CHECK(!noted("b: join_late a,b"));
}

CAF_TEST(a node that has lost the others meanwhile is not ready by them) {
  cluster_options patient;
  patient.timeout = 60s;
  auto x = start(a, {}, patient);
  complete(x);
  ready.clear();
  auto y = start(b, {"a:1"}, patient);
  add_slow_shard(y);
  complete(y);
  pass(2s);
  caf::anon_send(x, leave_atom_v);
  pass(10s);
  CHECK_EQ(view_of(y), "4 b: b");
  settle();
  CHECK_EQ(ready, strings{});
  // It has found somebody, so it is late, and not alone.
  pass(60s);
  CHECK_EQ(ready, strings{"b"});
  CHECK(noted("b: join_late b"));
}

CAF_TEST(a node whose seed has failed waits for one that has found it) {
  auto x = start(a, {"c:1"});
  complete(start(b, {"a:1"}));
  // Before it was heard of that nobody is at the other address.
  CHECK_EQ(ready, strings{});
  complete(x);
  pass(2s);
  CHECK_EQ(view_of(x), "2 a: a b");
  CHECK(noted("a: ready a,b"));
  CHECK(!noted("a: ready a"));
}

CAF_TEST(a seed that says nothing is waited for until the timeout) {
  silent.insert("b:1");
  auto x = start(a, {"b:1", "c:1"});
  complete(x);
  pass(4900ms);
  CHECK_EQ(ready, strings{});
  pass(350ms);
  CHECK_EQ(ready, strings{"a"});
  CHECK(noted("a: join_late a"));
  CHECK(!noted("a: ready a"));
}

CAF_TEST(a seed that is no node is waited for until the timeout) {
  refusing.insert("b:1");
  auto x = start(a, {"b:1"});
  complete(x);
  pass(4900ms);
  CHECK(dials["b:1"] > 1);
  CHECK_EQ(ready, strings{});
  // It may have been one that begins.
  refusing.clear();
  pass(5s);
  CHECK_EQ(ready, strings{"a"});
}

CAF_TEST(that nobody answers is not that nobody is there) {
  cluster_options patient;
  patient.timeout = 60s;
  silent.insert("b:1");
  auto x = start(a, {"b:1"}, patient);
  complete(x);
  // It is given up, and dialed again.
  pass(cluster_dial_timeout + 5s);
  CHECK_EQ(dials["b:1"], 2);
  CHECK_EQ(ready, strings{});
  silent.clear();
  pass(cluster_dial_timeout);
  CHECK_EQ(ready, strings{"a"});
  CHECK(noted("a: ready a"));
}

CAF_TEST(a node that is refused waits until the timeout) {
  cluster_options other;
  other.name = "other";
  complete(start(a, {}, other));
  ready.clear();
  auto y = start(b, {"a:1"});
  complete(y);
  pass(4900ms);
  CHECK_EQ(ready, strings{});
  pass(350ms);
  CHECK_EQ(ready, strings{"b"});
  CHECK(noted("b: join_late b"));
}

CAF_TEST(a node that was ready once stays so) {
  auto x = start(a);
  complete(x);
  auto y = start(b, {"a:1"});
  complete(y);
  pass(5s);
  CHECK_EQ(ready, (strings{"a", "b"}));
  crash(a);
  caf::anon_send(y, join_atom_v, std::string{"c:1"});
  pass(60s);
  CHECK_EQ(view_of(y), "3 b: b");
  CHECK_EQ(ready, (strings{"a", "b"}));
}

END_FIXTURE_SCOPE()
