#include <callboard/actors/cluster/cluster_actor.hpp>

#include <callboard/actors/cluster/peer_frames.hpp>

#include <string>
#include <vector>

#include "actors/cluster/cluster_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using strings = std::vector<std::string>;

namespace {

using fixture = cluster_fixture;

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

// -- joining ------------------------------------------------------------------

CAF_TEST(a node alone serves at once and dials nobody) {
  auto x = start(a);
  add_shard(x, shard_kind::broker, 0, "a0");
  CHECK_EQ(take_got(), strings{"a0 set 1:"});
  CHECK_EQ(sets["a0"]->owner_of("news"), peer_set::here);
  pass(60s);
  CHECK_EQ(view_of(x), "1 a: a");
  CHECK(dials.empty());
  CHECK_EQ(take_got(), strings{});
  sets.clear();
}

CAF_TEST(nodes find all others from one in any order) {
  auto z = start(c, {"b:1"});
  auto y = start(b, {"a:1"});
  pass(10s);
  CHECK_EQ(view_of(y), "2 b: b c");
  auto x = start(a);
  pass(10s);
  for (auto& gate : {x, y, z})
    CHECK_EQ(view_of(gate), "3 b: b c a");
  auto known = facts(x);
  CHECK_EQ(known.name, "callboard");
  CHECK_EQ(known.self, "a");
  for (auto& other : known.nodes) {
    CHECK(other.linked);
    CHECK(other.heard);
    CHECK_EQ(other.view, 3u);
  }
}

CAF_TEST(a seed is dialed with backoff until it is there) {
  auto y = start(b, {"a:1"});
  pass(60s);
  // Half of 5 s on average, and sooner in the beginning.
  CHECK(dials["a:1"] > 12);
  CHECK(dials["a:1"] < 60);
  CHECK_EQ(counted("cluster-failed-dials"), dials["a:1"]);
  auto x = start(a);
  pass(10s);
  CHECK_EQ(view_of(y), "2 a: a b");
  auto before = dials["a:1"];
  pass(60s);
  CHECK_EQ(dials["a:1"], before);
}

CAF_TEST(a seed that is the node itself is no link) {
  auto x = start(a, {"a:1"});
  pass(30s);
  CHECK_EQ(view_of(x), "1 a: a");
  CHECK_EQ(facts(x).nodes.size(), 1u);
}

CAF_TEST(addresses may be told later) {
  auto x = start(a);
  auto y = start(b);
  caf::anon_send(y, join_atom_v, std::string{"a:1"});
  pass(5s);
  CHECK_EQ(view_of(x), "2 a: a b");
}

CAF_TEST(addresses that were given up leave their room to others) {
  auto x = start(a);
  auto y = start(b);
  for (size_t i = 0; i < cluster_seeds_max; ++i) {
    auto address = "old:" + std::to_string(i + 1);
    caf::anon_send(y, join_atom_v, address);
    caf::anon_send(y, leave_atom_v, address);
  }
  pass(10s);
  auto before = dials["old:1"];
  caf::anon_send(y, join_atom_v, std::string{"a:1"});
  pass(5s);
  CHECK_EQ(view_of(x), "2 a: a b");
  CHECK_EQ(dials["old:1"], before);
}

// -- refusing -----------------------------------------------------------------

CAF_TEST(the same refusal is logged every ten minutes) {
  auto x = start(a);
  cluster_options other;
  other.name = "other";
  auto y = start(b, {"a:1"}, other);
  auto refusals = [this] {
    return std::ranges::count_if(notes, [](const std::string& note) {
      return note.find(": refused ") != std::string::npos;
    });
  };
  pass(60s);
  CHECK(counted("cluster-refused-hellos") > 10);
  // By each of the two.
  CHECK_EQ(refusals(), 2);
  pass(10min);
  CHECK_EQ(refusals(), 4);
}

CAF_TEST(a hello from what is no such node is refused) {
  auto x = start(a);
  auto good = hello_of(b);
  CHECK_EQ(greet(x, good).refused, "");
  auto other = hello_of(c);
  other.protocol = peer_protocol + 1;
  CHECK_EQ(greet(x, other).refused,
           "nodes of version 1.0 and 1.1 do not understand each other");
  other = hello_of(c);
  ++other.types;
  CHECK(!greet(x, other).refused.empty());
  other = hello_of(c);
  other.cluster = "other";
  CHECK_EQ(greet(x, other).refused,
           "this is the cluster 'callboard', not 'other'");
  other = hello_of(c);
  other.gate = nullptr;
  CHECK(!greet(x, other).refused.empty());
  CHECK_EQ(greet(x, hello_of(a_node("a", "2"))).refused,
           "this node has the name 'a' itself: each node needs its own");
  CHECK_EQ(counted("cluster-refused-hellos"), 5);
  CHECK(noted("a: refused c: this is the cluster 'callboard', not 'other'"));
}

CAF_TEST(a second node of one name stays alone and is told why) {
  auto x = start(a);
  auto y = start(b, {"a:1"});
  pass(5s);
  auto other = a_node("b", "2");
  other.address = "b:2";
  auto z = start(other, {"a:1"});
  pass(10s);
  CHECK_EQ(view_of(x), "2 a: a b");
  CHECK_EQ(view_of(z), "1 b: b");
  CHECK(noted("b: refused a: another node with the name 'b' lives, at b:1: "
              "each node needs its own"));
}

CAF_TEST(the same run is given the same number) {
  auto x = start(a);
  auto hello = hello_of(b);
  auto first = greet(x, hello);
  auto second = greet(x, hello);
  CHECK_NE(first.link, 0u);
  CHECK_EQ(first.link, second.link);
  CHECK_EQ(first.who, a);
}

// -- ending -------------------------------------------------------------------

CAF_TEST(a node that died is no member after the timeout) {
  auto x = start(a);
  start(b, {"a:1"});
  pass(5s);
  crash(b);
  CHECK(!facts(x, "b").linked);
  CHECK(noted("a: link_down b: the connection is lost"));
  pass(3900ms);
  CHECK_EQ(view_of(x), "2 a: a b");
  pass(1600ms);
  CHECK_EQ(view_of(x), "3 a: a");
}

CAF_TEST(a node that begins again is another member at once) {
  auto x = start(a);
  start(b, {"a:1"});
  pass(5s);
  crash(b);
  auto y = start(a_node("b", "2"), {"a:1"});
  pass(2s);
  CHECK_EQ(view_of(x), "4 a: a b");
  CHECK_EQ(view_of(y), "4 a: a b");
  CHECK_EQ(facts(x, "b").who.incarnation, "2");
}

CAF_TEST(a leave is answered when nobody names the node) {
  auto x = start(a);
  auto y = start(b, {"a:1"});
  auto z = start(c, {"a:1"});
  pass(5s);
  auto answer = self->request(x, caf::infinite, leave_atom_v);
  sched.run();
  CHECK_EQ(view_of(x), "4 a: a! b c");
  pass(5s);
  auto answered = false;
  answer.receive([&] { answered = true; },
                 [](const caf::error& why) { CAF_FAIL(to_string(why)); });
  CHECK(answered);
  CHECK_EQ(view_of(y), "5 b: b c");
  CHECK_EQ(view_of(z), "5 b: b c");
  pass(30s);
  CHECK_EQ(view_of(y), "5 b: b c");
}

CAF_TEST(a node that retires is a member until it leaves) {
  auto x = start(a);
  auto y = start(b, {"a:1"});
  pass(5s);
  strings heard;
  auto shard = sys.spawn([&heard] {
    return caf::behavior{
      [&heard](cluster_atom, const peer_set_ptr& nodes) {
        heard.push_back(std::to_string(nodes->number) + " owns "
                        + (nodes->owner_of("t") == peer_set::here ? "t" : "-"));
      },
      [&heard](leave_atom) { heard.push_back("leave"); },
    };
  });
  caf::anon_send(x, cluster_atom_v, static_cast<uint8_t>(shard_kind::broker),
                 uint32_t{0}, shard);
  sched.run();
  heard.clear();
  auto answer = self->request(x, caf::infinite, drain_atom_v);
  pass(20s);
  CHECK_EQ(view_of(x), "3 a: a! b");
  CHECK_EQ(view_of(y), "3 a: a! b");
  // It is asked when it knows the view.
  CHECK_EQ(heard, (strings{"3 owns -", "leave"}));
  auto answered = false;
  answer.receive([&] { answered = true; },
                 [](const caf::error& why) { CAF_FAIL(to_string(why)); });
  CHECK(answered);
  caf::anon_send(x, leave_atom_v);
  pass(5s);
  CHECK_EQ(view_of(y), "4 b: b");
}

// -- those who watch ----------------------------------------------------------

CAF_TEST(who watches no more is not looked after) {
  auto x = start(a);
  auto watcher
    = sys.spawn([] { return caf::behavior{[](const node_event&) {}}; });
  for (auto i = 0; i < 3; ++i) {
    caf::anon_send(x, watch_atom_v, watcher);
    caf::anon_send(x, unwatch_atom_v, watcher);
  }
  sched.run();
  caf::anon_send_exit(watcher, caf::exit_reason::kill);
  sched.run_once();
  CHECK(!sched.has_job());
}

CAF_TEST(watchers hear of nodes in order) {
  strings heard;
  auto watcher = sys.spawn([&heard] {
    return caf::behavior{[&heard](const node_event& x) {
      heard.push_back(to_string(x.kind) + ' ' + x.who.name + ' '
                      + std::to_string(x.view));
    }};
  });
  auto x = start(a);
  start(b, {"a:1"});
  pass(5s);
  caf::anon_send(x, watch_atom_v, watcher);
  sched.run();
  CHECK_EQ(std::exchange(heard, {}), strings{"up b 2"});
  auto z = start(c, {"a:1"});
  pass(5s);
  CHECK_EQ(std::exchange(heard, {}), strings{"up c 3"});
  caf::anon_send(z, leave_atom_v);
  pass(5s);
  CHECK_EQ(std::exchange(heard, {}), (strings{"leaving c 4", "down c 5"}));
  // The one that has left has made a view of itself, number 6.
  crash(b);
  start(a_node("b", "2"), {"a:1"});
  pass(5s);
  CHECK_EQ(std::exchange(heard, {}), (strings{"down b 7", "up b 8"}));
  caf::anon_send(x, unwatch_atom_v, watcher);
  crash(b);
  pass(10s);
  CHECK_EQ(heard, strings{});
}

// -- store nodes --------------------------------------------------------------

CAF_TEST(operators are told once that nodes know of other store nodes) {
  auto keep = [this](member who, strings names, strings seeds = {}) {
    cluster_options options;
    options.stores = caf::make_counted<store_nodes>(std::move(names),
                                                    std::vector<topic_rule>{});
    who.stores = options.stores->digest();
    return start(who, std::move(seeds), options);
  };
  auto x = keep(a, {"b", "a", "x"});
  auto absent = [&] { return facts(x).absent_store_nodes; };
  CHECK_EQ(facts(x).store_nodes, (strings{"a", "b", "x"}));
  CHECK_EQ(absent(), (strings{"b", "x"}));
  keep(b, {"a", "b", "x"}, {"a:1"});
  pass(5s);
  CHECK_EQ(absent(), strings{"x"});
  auto told = [&](const std::string& what) {
    return std::ranges::count(notes, what);
  };
  // One that knows of none keeps none, but may take such topics for others.
  start(a_node("d"), {"a:1"});
  pass(5s);
  CHECK_EQ(absent(), strings{"x"});
  CHECK_EQ(told("a: store_nodes_differ d"), 1);
  CHECK_EQ(told("d: store_nodes_differ a,b"), 1);
  auto z = keep(c, {"a", "b"}, {"a:1"});
  pass(5s);
  CHECK_EQ(absent(), (strings{"a", "b", "x"}));
  CHECK_EQ(told("a: store_nodes_differ d,c"), 1);
  CHECK_EQ(told("b: store_nodes_differ d,c"), 1);
  crash(a_node("d"));
  pass(10s);
  CHECK_EQ(told("a: store_nodes_differ c"), 0);
  caf::anon_send(z, leave_atom_v);
  pass(5s);
  CHECK_EQ(absent(), strings{"x"});
}

END_FIXTURE_SCOPE()
