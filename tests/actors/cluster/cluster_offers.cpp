// Where a node sends the clients that it does not take: what its loops are told
// of the others.

#include <callboard/actors/cluster/cluster_actor.hpp>

#include <string>
#include <vector>

#include "actors/cluster/cluster_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using strings = std::vector<std::string>;

namespace {

/// Nodes `a`, `b` and `c` that clients reach at `ws://a`, … and whose loads are
/// in `loads`. Each has a broker shard and a router shard: `a0`, `a!`, ….
struct fixture : cluster_fixture {
  fixture() {
    for (auto* x : {&a, &b, &c})
      x->urls = {"ws://" + x->name};
  }

  ~fixture() override {
    // They ask for their loads.
    for (auto& [address, gate] : gates)
      stop(gate);
    gates.clear();
    sets.clear();
  }

  caf::actor open(const member& who, strings seeds = {}) {
    cluster_options options;
    options.load = [this, name = who.name] { return loads[name]; };
    auto gate = start(who, std::move(seeds), options);
    add_shard(gate, shard_kind::broker, 0, who.name + "0");
    add_shard(gate, shard_kind::router, 0, who.name + "!");
    return gate;
  }

  void open_all() {
    one = open(a);
    two = open(b, {"a:1"});
    three = open(c, {"a:1"});
    pass(3s);
    REQUIRE_EQ(view_of(one).substr(2), "a: a b c");
  }

  /// Returns where a node sends its first client.
  strings from(const std::string& node) {
    auto& x = elsewhere[node + "0"];
    return x == nullptr ? strings{} : x->pick(0);
  }

  std::map<std::string, node_load> loads;
  caf::actor one, two, three;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(loops are told of the other nodes by their load) {
  loads["b"] = {300, 30, 100};
  loads["c"] = {200, 20, 100};
  open_all();
  CHECK_EQ(from("a"), (strings{"ws://c", "ws://b"}));
  CHECK_EQ(from("b"), (strings{"ws://a", "ws://c"}));
  // Routers have nothing to do with it.
  CHECK(!elsewhere.contains("a!"));
  // It is in the next heartbeat.
  loads["c"] = {400, 40, 100};
  pass(1500ms);
  CHECK_EQ(from("a"), (strings{"ws://b", "ws://c"}));
}

CAF_TEST(what does not change is not told again) {
  open_all();
  auto told = elsewhere["a0"];
  loads["b"] = {99, 9, 100};
  pass(10s);
  CHECK(elsewhere["a0"] == told);
  loads["b"] = {100, 9, 100};
  pass(1500ms);
  CHECK(elsewhere["a0"] != told);
}

CAF_TEST(a shard that takes the place of another is told at once) {
  open_all();
  add_shard(one, shard_kind::broker, 0, "again0");
  CHECK_EQ(from("again"), (strings{"ws://b", "ws://c"}));
}

CAF_TEST(nodes that are not open are not told of) {
  open_all();
  loads["b"].intake = node_intake::busy;
  loads["c"].intake = node_intake::draining;
  pass(1500ms);
  CHECK_EQ(from("a"), strings{});
  loads["b"].intake = node_intake::open;
  pass(1500ms);
  CHECK_EQ(from("a"), strings{"ws://b"});
}

CAF_TEST(nodes that clients do not reach are not told of) {
  b.urls.clear();
  open_all();
  CHECK_EQ(from("a"), strings{"ws://c"});
  CHECK_EQ(from("b"), (strings{"ws://a", "ws://c"}));
}

CAF_TEST(a node that died is forgotten at once) {
  open_all();
  crash(c);
  pass(250ms);
  CHECK_EQ(from("a"), strings{"ws://b"});
}

CAF_TEST(what a node said of its load does not count after the timeout) {
  one = open(a);
  greet(one, hello_of(b));
  // It says once how much it has to do.
  peer_heartbeat beat;
  beat.name = b.name;
  beat.incarnation = b.incarnation;
  beat.view = {1, "b"};
  beat.hears = {run_of(a)};
  beat.link = uint64_t{7} << 32 | 1;
  caf::anon_send(one, beat);
  sched.run();
  for (int i = 0; i < 5; ++i) {
    // It lives, and goes on being a member.
    caf::anon_send(one, std::string{"b"}, cluster_view{9, "b", {b, a}});
    pass(900ms);
    CHECK_EQ(from("a"), strings{"ws://b"});
  }
  caf::anon_send(one, std::string{"b"}, cluster_view{9, "b", {b, a}});
  pass(1s);
  CHECK_EQ(view_of(one), "9 b: b a");
  CHECK_EQ(from("a"), strings{});
}

CAF_TEST(a node that leaves sends its clients away and gets none) {
  open_all();
  auto left = self->request(three, caf::infinite, leave_atom_v);
  sched.run();
  pass(2s);
  left.receive([] {}, [](const caf::error& x) { CAF_FAIL(to_string(x)); });
  CHECK_EQ(view_of(three).substr(2), "c: c!");
  CHECK_EQ(from("a"), strings{"ws://b"});
  CHECK_EQ(from("b"), strings{"ws://a"});
  CHECK_EQ(from("c"), (strings{"ws://a", "ws://b"}));
  // And goes on hearing of them.
  loads["a"] = {300, 0, 100};
  pass(10s);
  CHECK_EQ(from("c"), (strings{"ws://b", "ws://a"}));
}

CAF_TEST(facts tell the load of all) {
  loads["a"] = {100, 1, 10, node_intake::open};
  loads["b"] = {900, 2, 20, node_intake::busy};
  open_all();
  CHECK_EQ(facts(one, "a").load, loads["a"]);
  CHECK_EQ(facts(one, "b").load, loads["b"]);
  CHECK_EQ(facts(one, "b").who.urls, strings{"ws://b"});
}

CAF_TEST(a node with URLs that cannot be told is refused) {
  one = open(a);
  CHECK_EQ(greet(one, hello_of(b)).refused, "");
  c.urls = {"http://c"};
  CHECK(!greet(one, hello_of(c)).refused.empty());
  c.urls.assign(5, "ws://c");
  CHECK(!greet(one, hello_of(c)).refused.empty());
  c.urls.pop_back();
  CHECK_EQ(greet(one, hello_of(c)).refused, "");
}

END_FIXTURE_SCOPE()
