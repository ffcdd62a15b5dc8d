// The client as an actor, with a client that the test plays.

#include <callboard/net/client_actor.hpp>

#include <callboard/actors/handles.hpp>
#include <callboard/actors/responder_error.hpp>

#include "net/client_actor_fixture.hpp"

using namespace callboard;
using namespace callboard::net;
using namespace std::chrono_literals;

CAF_TEST_FIXTURE_SCOPE(client_actor_tests, client_actor_fixture)

// -- publications and requests ------------------------------------------------

CAF_TEST(a publication is answered with its position) {
  auto answer = ask(publish_atom_v, "t", payload::pack(1),
                    callboard::publish_options{"k", "i"});
  CAF_CHECK_EQUAL(take_log(), lines{"publish t 1ik"});
  port->on_published(net::position{"e", 7});
  run();
  note(answer);
  CAF_CHECK_EQUAL(take_log(), lines{"at 7"});
}

CAF_TEST(a publication that fails says why) {
  auto answer = ask(publish_atom_v, "t", payload{});
  port->on_published(caf::make_error(errc::forbidden));
  run();
  take_log();
  note(answer);
  CAF_CHECK_EQUAL(take_log(), lines{"forbidden"});
}

CAF_TEST(nobody answers a publication that nobody waits for) {
  caf::anon_send(uut, publish_atom_v, "t", payload{});
  run();
  CAF_CHECK_EQUAL(take_log(), lines{"publish t null unanswered"});
  caf::anon_send(uut, publish_atom_v, "t", payload{},
                 callboard::publish_options{"", "i"});
  run();
  CAF_CHECK_EQUAL(take_log(), lines{"publish t nulli"});
}

CAF_TEST(a request gets its answer) {
  auto answer = ask(request_atom_v, "act", payload::pack(1), caf::timespan{5s});
  CAF_CHECK_EQUAL(take_log(), lines{"request act 1"});
  port->on_answer(payload::pack(2));
  run();
  answer.receive([](const payload& x) { CAF_CHECK_EQUAL(x.to_json(), "2"); },
                 [](const caf::error& x) { CAF_FAIL(x); });
}

// -- subscriptions ------------------------------------------------------------

CAF_TEST(subscribers of one subject share a subscription) {
  auto a = listener("a");
  auto b = listener("b");
  subscribe(a, 4);
  CAF_CHECK_EQUAL(take_log(), (lines{"subscribe t", "at 4"}));
  send_event(5);
  note(ask(subscribe_atom_v, b, "t"));
  CAF_CHECK_EQUAL(take_log(), (lines{"a event t@5", "at 5"}));
  send_event(6);
  CAF_CHECK_EQUAL(take_log(), (lines{"a event t@6", "b event t@6"}));
  note(ask(subscribe_atom_v, b, "t"));
  CAF_CHECK_EQUAL(take_log(), lines{"already_subscribed"});
  caf::anon_send(uut, unsubscribe_atom_v, a, "t");
  run();
  CAF_CHECK_EQUAL(take_log(), lines{});
  caf::anon_send(uut, unsubscribe_atom_v, b, "t");
  run();
  CAF_CHECK_EQUAL(take_log(), lines{"unsubscribe t"});
}

CAF_TEST(subscribers that wait hear of the same answer) {
  auto first = ask(subscribe_atom_v, listener("a"), "t");
  auto second = ask(subscribe_atom_v, listener("b"), "t");
  CAF_CHECK_EQUAL(take_log(), lines{"subscribe t"});
  port->on_subscribed(caf::make_error(errc::forbidden));
  run();
  note(first);
  note(second);
  CAF_CHECK_EQUAL(take_log(), (lines{"forbidden", "forbidden"}));
  // It can be asked for again.
  ask(subscribe_atom_v, listener("c"), "t");
  CAF_CHECK_EQUAL(take_log(), lines{"subscribe t"});
}

CAF_TEST(only the first subscriber begins behind a position) {
  auto answer = ask(subscribe_atom_v, listener("a"), "t",
                    callboard::position{"e", 3});
  CAF_CHECK_EQUAL(take_log(), lines{"subscribe t@3"});
  port->on_subscribed(subscribed{{"e", 5}, true});
  run();
  auto whole = false;
  answer.receive([&](const callboard::position&, bool x) { whole = x; },
                 [](const caf::error& x) { CAF_FAIL(x); });
  CAF_CHECK(whole);
  auto failed = errc::none;
  ask(subscribe_atom_v, listener("b"), "t", callboard::position{"e", 3})
    .receive([](const callboard::position&, bool) { CAF_FAIL("subscribed"); },
             [&](const caf::error& x) { failed = errc_of(x); });
  CAF_CHECK_EQUAL(failed, errc::already_subscribed);
}

CAF_TEST(a subscriber that ends is forgotten) {
  auto a = listener("a");
  subscribe(a, 4);
  ask(register_atom_v, "act", a);
  take_log();
  caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
  run();
  CAF_CHECK_EQUAL(take_log(), (lines{"unsubscribe t", "stop responding act"}));
  send_event(5);
  CAF_CHECK_EQUAL(take_log(), lines{});
}

CAF_TEST(who has nothing of the client any more is let go) {
  auto a = listener("a");
  listeners.clear();
  subscribe(a, 4);
  ask(register_atom_v, "act", a);
  ask(watch_atom_v, a);
  ask(unsubscribe_atom_v, a, "t");
  ask(unregister_atom_v, "act", a);
  auto weak = caf::actor_cast<caf::weak_actor_ptr>(a);
  a = nullptr;
  CAF_CHECK(weak.lock() != nullptr);
  ask(unwatch_atom_v, caf::actor_cast<caf::actor>(weak));
  CAF_CHECK(weak.lock() == nullptr);
}

CAF_TEST(who does not keep up loses its subscription) {
  auto slow = listener("slow", true);
  subscribe(slow, 0);
  note(ask(subscribe_atom_v, listener("b"), "t"));
  take_log();
  send_event(1, std::string(300, 'x'));
  CAF_CHECK_EQUAL(take_log(), (lines{"slow event t@1", "b event t@1"}));
  send_event(2, std::string(450, 'x'));
  CAF_CHECK_EQUAL(take_log(), (lines{"b event t@2", "slow lost t@1"}));
  // What it has kept no longer counts once it lets go.
  kept.clear();
  note(ask(subscribe_atom_v, slow, "t"));
  send_event(3, std::string(300, 'x'));
  CAF_CHECK_EQUAL(take_log(), (lines{"at 2", "b event t@3", "slow event t@3"}));
}

CAF_TEST(gaps and ends are told) {
  auto a = listener("a");
  subscribe(a, 4);
  take_log();
  port->handlers.on_gap({"t", "events lost", {"f", 9}});
  run();
  CAF_CHECK_EQUAL(take_log(), lines{"a gap t@9"});
  // One that says not where moves nothing.
  port->handlers.on_gap({"t", "events lost"});
  run();
  CAF_CHECK_EQUAL(take_log(), lines{"a gap t@0"});
  port->handlers.on_lost("t", caf::make_error(errc::forbidden));
  run();
  CAF_CHECK_EQUAL(take_log(), (lines{"unsubscribe t", "a lost t@9"}));
}

// -- responders ---------------------------------------------------------------

CAF_TEST(a responder answers) {
  auto responder = sys.spawn([]() -> caf::behavior {
    return {[](const action_request& x) -> caf::result<payload> {
      if (x.payload.is_nil())
        return callboard::to_error(responder_error{1001, "empty", "no"});
      return payload::pack(x.action + ' ' + x.sender);
    }};
  });
  listeners.push_back(responder);
  auto registered = ask(register_atom_v, "act", responder);
  port->on_registered({});
  run();
  auto is_registered = false;
  registered.receive([&] { is_registered = true; },
                     [](const caf::error& x) { CAF_FAIL(x); });
  CAF_CHECK(is_registered);
  auto nobody = [](frame_view) { return true; };
  port->serve(1, {"act", payload::pack(1), "ann", 5s, nobody});
  run();
  port->serve(2, {"act", {}, "ann", 5s, nobody});
  run();
  CAF_CHECK_EQUAL(take_log(), (lines{"respond act", "answer 1 \"act ann\"",
                                     "answer 2 empty"}));
  caf::anon_send(uut, unregister_atom_v, "act", responder);
  run();
  port->serve(3, {"act", {}, "ann", 5s, nobody});
  run();
  CAF_CHECK_EQUAL(take_log(),
                  (lines{"stop responding act", "answer 3 no_responder"}));
}

CAF_TEST(a registration that is refused is none) {
  auto a = listener("a");
  auto answer = ask(register_atom_v, "act", a);
  port->on_registered(caf::make_error(errc::forbidden));
  run();
  auto failed = errc::none;
  answer.receive([] { CAF_FAIL("registered"); },
                 [&](const caf::error& x) { failed = errc_of(x); });
  CAF_CHECK_EQUAL(failed, errc::forbidden);
  take_log();
  ask(register_atom_v, "act", a);
  CAF_CHECK_EQUAL(take_log(), lines{"respond act"});
}

// -- life ---------------------------------------------------------------------

CAF_TEST(watchers hear of states and errors) {
  auto a = listener("a");
  caf::anon_send(uut, watch_atom_v, a);
  run();
  port->handlers.on_state(client_state::connected);
  port->handlers.on_error(caf::make_error(errc::forbidden));
  run();
  CAF_CHECK_EQUAL(take_log(), (lines{"a disconnected", "a connected",
                                     "a connected forbidden"}));
  caf::anon_send(uut, unwatch_atom_v, a);
  port->handlers.on_state(client_state::connecting);
  run();
  CAF_CHECK_EQUAL(take_log(), lines{});
}

CAF_TEST(a client that ends answers everything) {
  auto a = listener("a");
  subscribe(a, 4);
  auto published = ask(publish_atom_v, "t", payload{});
  take_log();
  caf::anon_send(uut, close_atom_v);
  run();
  CAF_CHECK_EQUAL(take_log(), lines{"stop"});
  port->ended({});
  run();
  note(published);
  CAF_CHECK_EQUAL(take_log(), (lines{"port gone", "a lost t@4", "cancelled"}));
}

CAF_TEST(a client that closes lives until it is closed) {
  caf::anon_send(uut, close_atom_v);
  uut = nullptr;
  run();
  CAF_CHECK_EQUAL(take_log(), lines{"stop"});
  port->ended({});
  run();
  CAF_CHECK_EQUAL(take_log(), lines{"port gone"});
}

CAF_TEST(a client that gives up ends with its reason) {
  caf::error reason;
  self->monitor(uut);
  port->ended(caf::make_error(errc::unauthenticated));
  run();
  self->receive([&](const caf::down_msg& x) { reason = x.reason; });
  CAF_CHECK_EQUAL(errc_of(reason), errc::unauthenticated);
}

CAF_TEST_FIXTURE_SCOPE_END()
