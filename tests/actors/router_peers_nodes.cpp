// What router shards of different nodes know of each other, as nodes and shards
// come and go.

#include <callboard/actors/router.hpp>

#include "actors/router_peers_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

namespace {

struct fixture : router_peers_fixture {
  /// Asks, lets the responder answer, and returns what the asker heard.
  std::string call(size_t asker_node, size_t responder_node,
                   const fake_client& who, const std::string& action) {
    auto asker = connect();
    auto before = who->served.size();
    ask(asker_node, asker, action, 1);
    if (who->served.size() > before)
      answer(responder_node, who);
    return answers(asker);
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

// -- offers -------------------------------------------------------------------

CAF_TEST(a node that joins hears of everything that is served) {
  begin(2);
  auto bob = responder_at(1, "sum");
  embed(0, "upper",
        responder([](const action_request&) { return payload::pack("up"); }));
  add_sites({1});
  introduce();
  CHECK_EQ(call(2, 1, bob, "sum"), "1 ok");
  auto alice = connect();
  ask(2, alice, "upper", 1);
  CHECK_EQ(answers(alice), "1 up");
  auto carol = responder_at(2, "product");
  CHECK_EQ(call(0, 2, carol, "product"), "1 ok");
}

CAF_TEST(a node offers an action as long as somebody serves it) {
  begin(2);
  auto bob = responder_at(1, "sum");
  auto carol = responder_at(1, "sum");
  unserve(1, bob, "sum");
  CHECK_EQ(call(0, 1, carol, "sum"), "1 ok");
  end(carol);
  CHECK_EQ(call(0, 1, bob, "sum"), "1 no_responder");
  CHECK_EQ(metrics(0).cluster_requests_sent->value(), 1);
  serve(1, bob, "sum");
  CHECK_EQ(call(0, 1, bob, "sum"), "1 ok");
}

CAF_TEST(whoever is withdrawn still answers what it has) {
  begin(2);
  auto alice = connect();
  auto bob = responder_at(1, "sum");
  ask(0, alice, "sum", 1);
  ask(0, alice, "sum", 2);
  unserve(1, bob, "sum");
  cancel(0, alice, "sum", 1);
  CHECK_EQ(counts(bob), "2 served, 1 cancelled");
  answer(1, bob);
  CHECK_EQ(answers(alice), "2 ok");
}

CAF_TEST(nodes that begin anew tell each other again what they serve) {
  begin(2);
  auto bob = responder_at(1, "sum");
  // Each has the other at the slot that it had, and did not see it go.
  for (size_t n : {0, 1})
    sites[n]->traffic[1 - n] = std::make_shared<link_traffic>();
  cut(0);
  introduce();
  CHECK_EQ(call(0, 1, bob, "sum"), "1 no_responder");
  cut(0, false);
  CHECK_EQ(call(0, 1, bob, "sum"), "1 ok");
}

CAF_TEST(the bound on responders is none on nodes) {
  add_sites({1, 1, 1});
  sites[0]->node.options.responders_max = 1;
  restart_site(0);
  introduce();
  auto bob = responder_at(1, "sum");
  auto carol = responder_at(2, "sum");
  end(bob);
  CHECK_EQ(call(0, 2, carol, "sum"), "1 ok");
}

CAF_TEST(nodes with different numbers of loops find the right shards) {
  add_sites({3, 2});
  introduce();
  for (int i = 0; i < 20; ++i) {
    auto action = "action." + std::to_string(i);
    auto bob = responder_at(1, action);
    CHECK_EQ(call(0, 1, bob, action), "1 ok");
    auto own = tenant_action("acme", "own." + std::to_string(i));
    auto carol = responder_at(0, own);
    CHECK_EQ(call(1, 0, carol, own), "1 ok");
  }
}

CAF_TEST(a loop that has not heard of the nodes is asked again) {
  add_sites({1, 1});
  auto bob = responder_at(1, "sum");
  view = 1;
  introduce(0);
  // The router comes first, and its loop knows nobody.
  auto& loop = *sites[1]->loops[0];
  introduce(1);
  auto set = loop.peers.shared_nodes();
  loop.peers.install(caf::make_counted<peer_set>());
  turn();
  CHECK_EQ(call(0, 1, bob, "sum"), "1 no_responder");
  wait(10ms);
  CHECK_EQ(pending_timers(), 1u);
  loop.peers.install(set);
  wait(1ms);
  CHECK_EQ(pending_timers(), 0u);
  CHECK_EQ(call(0, 1, bob, "sum"), "1 ok");
}

CAF_TEST(a loop that is ahead of its router does not go back) {
  begin(2);
  auto bob = responder_at(1, "sum");
  auto alice = connect();
  ask(0, alice, "sum", 1);
  // Both sets are there before the router hears of the first one, in which the
  // other node is missing.
  sites[1]->up = false;
  introduce(0);
  sites[1]->up = true;
  introduce();
  answer(1, bob);
  CHECK_EQ(answers(alice), "1 ok");
  wait(10s);
  CHECK_EQ(pending_timers(), 0u);
}

// -- nodes that go ------------------------------------------------------------

CAF_TEST(what a lost node was asked has failed at once) {
  begin(3);
  auto alice = connect();
  auto bob = responder_at(1, "sum");
  auto carol = responder_at(2, "product");
  ask(0, alice, "sum", 1);
  ask(0, alice, "sum", 2);
  ask(0, alice, "product", 3);
  unserve(1, bob, "sum");
  lose(1);
  CHECK_EQ(alice->answers.size(), 2u);
  for (auto& [call_id, outcome] : alice->answers)
    CHECK_EQ(outcome.code, wire_number(errc::responder_failed));
  answers(alice);
  answer(2, carol);
  CHECK_EQ(answers(alice), "3 ok");
  ask(0, alice, "sum", 4);
  CHECK_EQ(answers(alice), "4 no_responder");
  wait(20s);
  CHECK_EQ(answers(alice), "");
}

CAF_TEST(what a lost node wanted is withdrawn) {
  begin(2);
  auto alice = connect();
  auto bob = responder_at(1, "sum");
  ask(0, alice, "sum", 1);
  ask(0, alice, "sum", 2);
  sites[0]->up = false;
  introduce();
  CHECK_EQ(counts(bob), "2 served, 2 cancelled");
  answer(1, bob);
  CHECK_EQ(metrics(1).stray_answers->value(), 1);
}

CAF_TEST(another run of a node is another node) {
  begin(2);
  auto alice = connect();
  auto bob = responder_at(1, "sum");
  auto carol = responder_at(0, "product");
  ask(0, alice, "sum", 1);
  auto dave = connect();
  ask(1, dave, "product", 1);
  restart_site(1);
  introduce();
  CHECK_EQ(answers(alice), "1 responder_failed");
  CHECK_EQ(counts(carol), "1 served, 1 cancelled");
  ask(0, alice, "sum", 2);
  CHECK_EQ(answers(alice), "2 no_responder");
  CHECK_EQ(call(1, 0, carol, "product"), "1 ok");
}

CAF_TEST(a new set with the same nodes changes nothing) {
  begin(2);
  auto alice = connect();
  auto bob = responder_at(1, "sum");
  ask(0, alice, "sum", 1);
  add_sites({1});
  introduce();
  introduce();
  lose(2);
  CHECK_EQ(answers(alice), "");
  answer(1, bob);
  CHECK_EQ(answers(alice), "1 ok");
}

// -- shards that go -----------------------------------------------------------

CAF_TEST(what a lost shard was asked has failed at once) {
  add_sites({1, 2});
  introduce();
  auto alice = connect();
  std::string other = "other";
  for (int i = 0; shard_at(1, other) == shard_at(1, "sum"); ++i)
    other = "other." + std::to_string(i);
  auto bob = responder_at(1, "sum");
  auto carol = responder_at(1, other);
  ask(0, alice, "sum", 1);
  ask(0, alice, "sum", 2);
  ask(0, alice, other, 3);
  restart_router(1, shard_at(1, "sum"));
  CHECK_EQ(alice->answers.size(), 2u);
  for (auto& [call_id, outcome] : alice->answers)
    CHECK_EQ(outcome.code, wire_number(errc::responder_failed));
  answers(alice);
  answer(1, carol);
  CHECK_EQ(answers(alice), "3 ok");
  // What it has offered counts no longer, until it does so again.
  CHECK_EQ(call(0, 1, bob, "sum"), "1 no_responder");
  CHECK_EQ(call(0, 1, carol, other), "1 ok");
  serve(1, bob, "sum");
  CHECK_EQ(call(0, 1, bob, "sum"), "1 ok");
}

CAF_TEST(what a lost shard wanted is withdrawn) {
  add_sites({2, 1});
  introduce();
  auto alice = connect();
  std::string other = "other";
  for (int i = 0; shard_at(0, other) == shard_at(0, "sum"); ++i)
    other = "other." + std::to_string(i);
  auto bob = responder_at(1, "sum");
  auto carol = responder_at(1, other);
  ask(0, alice, "sum", 1);
  ask(0, alice, other, 2);
  restart_router(0, shard_at(0, "sum"));
  CHECK_EQ(counts(bob), "1 served, 1 cancelled");
  CHECK_EQ(counts(carol), "1 served, 0 cancelled");
  // The successor has heard what others serve.
  CHECK_EQ(call(0, 1, bob, "sum"), "1 ok");
}

// -- frames that are none -----------------------------------------------------

CAF_TEST(what follows a frame that is none is dropped and counted) {
  begin(2);
  auto before = sites[0]->traffic[1]->received.load();
  auto good = frames_of(peer_offer{"a"});
  auto bytes = good.size();
  for (auto number : {0, 1, 31, 38, 255}) {
    auto bad = good;
    bad.push_back(static_cast<caf::byte>(number));
    auto rest = frames_of(peer_withdraw{"a"});
    bad.insert(bad.end(), rest.begin(), rest.end());
    bytes += bad.size();
    deliver(0, 1, bad);
  }
  CHECK_EQ(metrics(0).cluster_malformed->value(), 5);
  deliver(0, 1, good);
  CHECK_EQ(metrics(0).cluster_malformed->value(), 5);
  CHECK_EQ(sites[0]->traffic[1]->received.load() - before, bytes);
  // The offer has stayed.
  auto bob = connect();
  cut(0);
  serve(1, bob, "a");
  CHECK_EQ(call(0, 1, bob, "a"), "");
  CHECK_EQ(bob->served.size(), 1u);
}

CAF_TEST(every frame that is cut short is none and does no harm) {
  begin(2);
  peer_serve serve_frame;
  serve_frame.ticket.number = 1;
  serve_frame.timeout_ms = 1000;
  serve_frame.what->content.action = "sum";
  serve_frame.what->content.payload = payload::pack(1);
  auto all = {frames_of(peer_offer{"x"}), frames_of(peer_withdraw{"x"}),
              frames_of(peer_restart{0}), frames_of(serve_frame),
              frames_of(peer_outcome{}),  frames_of(peer_cancel{})};
  int64_t cuts = 0;
  for (auto& frame : all)
    for (size_t size = 1; size < frame.size(); ++size) {
      deliver(0, 1, {frame.begin(), frame.begin() + static_cast<long>(size)});
      CHECK_EQ(metrics(0).cluster_malformed->value(), ++cuts);
    }
  CHECK_EQ(metrics(0).cluster_requests_served->value(), 0);
  CHECK_EQ(metrics(0).stray_answers->value(), 0);
}

CAF_TEST(a request under a ticket that is taken or of no shard is not served) {
  begin(2);
  auto bob = responder_at(0, "sum");
  peer_serve x;
  x.ticket.number = 5;
  x.timeout_ms = 0;
  x.what->content.action = "sum";
  deliver(0, 1, frames_of(x, x));
  CHECK_EQ(bob->served.size(), 1u);
  CHECK_EQ(metrics(0).cluster_malformed->value(), 1);
  // The other node has one shard.
  x.ticket = {1, 6};
  deliver(0, 1, frames_of(x));
  CHECK_EQ(bob->served.size(), 1u);
  CHECK_EQ(metrics(0).cluster_malformed->value(), 2);
  // Cancels of what is not open, and news of no shard, do nothing.
  deliver(0, 1,
          frames_of(peer_cancel{{0, 6}}, peer_cancel{{7, 5}}, peer_restart{7},
                    peer_withdraw{"nothing"}));
  CHECK_EQ(counts(bob), "1 served, 0 cancelled");
  deliver(0, 1, frames_of(peer_cancel{{0, 5}}));
  CHECK_EQ(counts(bob), "1 served, 1 cancelled");
  // The ticket is free again.
  x.ticket = {0, 5};
  deliver(0, 1, frames_of(x));
  CHECK_EQ(bob->served.size(), 2u);
  // A time of 0 is the shortest one.
  wait(1ms);
  CHECK_EQ(counts(bob), "2 served, 2 cancelled");
}

CAF_TEST(what comes from an empty slot is not read) {
  begin(2);
  deliver(0, 7, frames_of(peer_offer{"a"}));
  deliver(0, 0, frames_of(peer_offer{"a"}));
  auto alice = connect();
  ask(0, alice, "a", 1);
  CHECK_EQ(answers(alice), "1 no_responder");
}

END_FIXTURE_SCOPE()
