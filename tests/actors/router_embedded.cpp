#include <callboard/actors/router.hpp>

#include "actors/router_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

namespace {

/// Answers nothing before it is told to.
class slow_responder : public caf::event_based_actor {
public:
  explicit slow_responder(caf::actor_config& cfg)
    : caf::event_based_actor{cfg} {
  }

  caf::behavior make_behavior() override {
    return {
      [this](const action_request&) {
        waiting_.push_back(make_response_promise<payload>());
        return waiting_.back();
      },
      [this](caf::ok_atom) {
        for (auto& x : waiting_)
          x.deliver(payload::pack("at last"));
        waiting_.clear();
      },
      [this](caf::delete_atom) { waiting_.clear(); },
    };
  }

private:
  std::vector<caf::typed_response_promise<payload>> waiting_;
};

struct fixture : router_fixture {
  caf::actor fails_with(caf::error x) {
    return responder(
      [x](const action_request&) -> caf::result<payload> { return x; });
  }

  caf::actor slow() {
    return sys.spawn<slow_responder>();
  }

  void tell(const caf::actor& who, const caf::message& what) {
    caf::anon_send(who, what);
    sched.run();
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

// -- responders ---------------------------------------------------------------

CAF_TEST(an embedded actor answers a client) {
  embed("upper", responder([](const action_request& x) {
          return payload::pack(x.action + ' ' + text_of(x.payload) + '!');
        }));
  auto alice = connect();
  ask(alice, "upper", 7, 10s, "hi");
  CHECK_EQ(answers(alice), "7 upper hi!");
  CHECK_EQ(ctx.metrics.requests_answered->value(), 1);
  CHECK_EQ(strays(), 0);
}

CAF_TEST(an error that an application may mean is told with its sentence) {
  embed("a", fails_with(caf::make_error(errc::forbidden)));
  embed("b", fails_with(caf::make_error(errc::rate_limited,
                                        std::string{"not so fast"})));
  auto alice = connect();
  ask(alice, "a", 1);
  ask(alice, "b", 2);
  REQUIRE_EQ(alice->answers.size(), 2u);
  CHECK_EQ(alice->answers[0].second.code, wire_number(errc::forbidden));
  CHECK_EQ(text_of(alice->answers[0].second.payload),
           info(errc::forbidden).sentence);
  CHECK_EQ(text_of(alice->answers[1].second.payload), "not so fast");
  CHECK_EQ(answers(alice), "1 forbidden, 2 rate_limited");
  CHECK_EQ(ctx.metrics.requests_failed->value(), 2);
}

CAF_TEST(every other error is the failure of the responder) {
  embed("a", fails_with(caf::make_error(caf::sec::runtime_error)));
  // Would make a client log in again.
  embed("b", fails_with(caf::make_error(errc::unauthenticated)));
  // Would speak of the client's own frame.
  embed("c", fails_with(caf::make_error(errc::malformed_frame)));
  auto alice = connect();
  ask(alice, "a", 1);
  ask(alice, "b", 2);
  ask(alice, "c", 3);
  CHECK_EQ(answers(alice),
           "1 responder_failed, 2 responder_failed, 3 responder_failed");
}

CAF_TEST(an actor that answers something else has failed) {
  embed("a", responder([](const action_request&) { return 42; }));
  embed("b", responder([](const action_request&) {}));
  embed("c", sys.spawn([] { return caf::behavior{[](int) {}}; }));
  auto alice = connect();
  ask(alice, "a", 1);
  ask(alice, "b", 2);
  ask(alice, "c", 3);
  CHECK_EQ(answers(alice),
           "1 responder_failed, 2 responder_failed, 3 responder_failed");
}

CAF_TEST(an embedded actor may take its time) {
  auto bob = slow();
  embed("a", bob);
  auto alice = connect();
  ask(alice, "a", 1);
  ask(alice, "a", 2);
  pass(9999ms);
  CHECK_EQ(answers(alice), "");
  tell(bob, caf::make_message(caf::ok_atom_v));
  CHECK_EQ(answers(alice), "1 at last, 2 at last");
}

CAF_TEST(an embedded actor that takes too long is not heard) {
  auto bob = slow();
  embed("a", bob);
  auto alice = connect();
  ask(alice, "a", 1);
  pass(10s);
  CHECK_EQ(answers(alice), "1 timeout");
  ask(alice, "a", 1);
  tell(bob, caf::make_message(caf::ok_atom_v));
  CHECK_EQ(answers(alice), "1 at last");
  CHECK_EQ(strays(), 1);
}

CAF_TEST(a broken promise is answered) {
  auto bob = slow();
  embed("a", bob);
  auto alice = connect();
  ask(alice, "a", 1);
  tell(bob, caf::make_message(caf::delete_atom_v));
  CHECK_EQ(answers(alice), "1 responder_failed");
}

CAF_TEST(an embedded actor may delegate) {
  auto worker = responder(
    [](const action_request&) { return payload::pack("from the worker"); });
  auto boss = sys.spawn([worker](caf::event_based_actor* self) {
    return caf::behavior{
      [=](const action_request& x) { return self->delegate(worker, x); }};
  });
  embed("a", boss);
  auto alice = connect();
  ask(alice, "a", 1);
  CHECK_EQ(answers(alice), "1 from the worker");
}

CAF_TEST(a dead embedded actor has failed) {
  auto bob = slow();
  embed("a", bob);
  auto alice = connect();
  ask(alice, "a", 1);
  kill(bob);
  CHECK_EQ(answers(alice), "1 responder_failed");
  ask(alice, "a", 2);
  CHECK_EQ(answers(alice), "2 no_responder");
}

CAF_TEST(an actor that is dead when it is registered has failed) {
  auto bob = slow();
  kill(bob);
  embed("a", bob);
  auto alice = connect();
  ask(alice, "a", 1);
  CHECK_EQ(answers(alice), "1 no_responder");
}

CAF_TEST(an embedded actor unregisters) {
  auto bob = slow();
  embed("a", bob);
  auto alice = connect();
  ask(alice, "a", 1);
  caf::anon_send(hub, unregister_atom_v, std::string{"a"}, bob);
  sched.run();
  ask(alice, "a", 2);
  CHECK_EQ(answers(alice), "2 no_responder");
  tell(bob, caf::make_message(caf::ok_atom_v));
  CHECK_EQ(answers(alice), "1 at last");
}

CAF_TEST(clients and embedded actors share an action) {
  auto bob = connect();
  serve(bob, "a");
  embed("a", responder([](const action_request&) {
          return payload::pack("embedded");
        }));
  auto alice = connect();
  ask(alice, "a", 1);
  ask(alice, "a", 2);
  CHECK_EQ(answers(alice), "2 embedded");
  answer(bob, "client");
  CHECK_EQ(answers(alice), "1 client");
}

CAF_TEST(a notify reaches an embedded actor and its answer nobody) {
  auto count = std::make_shared<int>(0);
  embed("a", responder([count](const action_request&) {
          ++*count;
          return payload::pack("ok");
        }));
  auto alice = connect();
  ask(alice, "a", 0);
  CHECK_EQ(*count, 1);
  CHECK_EQ(answers(alice), "");
  CHECK_EQ(strays(), 0);
}

CAF_TEST(an embedded actor that does not keep up is asked no more) {
  auto kept = std::make_shared<std::vector<action_request>>();
  embed("a", responder([kept](const action_request& x) {
          kept->push_back(x);
          return payload::pack("ok");
        }));
  auto alice = connect();
  std::string text(1000, 'x');
  auto cost = make_request("a", 1, 1s, text)->cost();
  node.options.shard_bytes_max = static_cast<size_t>(2 * cost);
  ask(alice, "a", 0, 1s, text);
  ask(alice, "a", 1, 1s, text);
  // As much as may is there; with one more it is too much.
  ask(alice, "a", 2, 1s, text);
  CHECK_EQ(answers(alice), "1 ok, 2 ok");
  ask(alice, "a", 0, 1s, text);
  ask(alice, "a", 3, 1s, text);
  CHECK_EQ(answers(alice), "3 overloaded");
  CHECK_EQ(kept->size(), 3u);
  kept->pop_back();
  ask(alice, "a", 4, 1s, text);
  CHECK_EQ(answers(alice), "4 ok");
}

CAF_TEST(the bound on responders holds for embedded actors) {
  node.options.responders_max = 1;
  restart();
  embed("a", slow());
  auto result = self->request(hub, caf::infinite, register_atom_v,
                              std::string{"a"}, slow());
  sched.run();
  result.receive([] { CAF_FAIL("not refused"); },
                 [](const caf::error& x) { CHECK_EQ(x, errc::overloaded); });
}

// -- askers -------------------------------------------------------------------

CAF_TEST(an embedded actor asks) {
  auto bob = connect();
  serve(bob, "a");
  auto result = request("a");
  answer(bob, "hello");
  CHECK_EQ(result_of(result), "hello");
}

CAF_TEST(an embedded actor is told why there is no answer) {
  node.options.requests_max = 2;
  restart();
  auto bob = connect();
  CHECK_EQ(result_of(request("a")), to_string(caf::error{errc::no_responder}));
  serve(bob, "a");
  auto late = request("a", 1s);
  auto lost = request("a");
  CHECK_EQ(result_of(request("a")), to_string(caf::error{errc::overloaded}));
  pass(1s);
  CHECK_EQ(result_of(late), to_string(caf::error{errc::timeout}));
  CHECK_EQ(bob->cancelled.size(), 1u);
  kill(bob);
  CHECK_EQ(result_of(lost), to_string(caf::error{errc::responder_failed}));
}

CAF_TEST(the own error of a client reaches an embedded actor by name) {
  auto bob = connect();
  serve(bob, "a");
  auto result = request("a");
  request_outcome outcome;
  outcome.code = 1234;
  outcome.name = "too_hard";
  say(bob, resolve_atom_v, bob->served[0].first, outcome);
  auto text = result_of(result);
  CHECK(text.find("responder_failed") != std::string::npos);
  CHECK(text.find("too_hard") != std::string::npos);
}

CAF_TEST(the requests of a dead embedded actor are withdrawn) {
  auto bob = connect();
  serve(bob, "a");
  auto asker = sys.spawn([this](caf::event_based_actor* self) {
    self->request(hub, caf::infinite, request_atom_v,
                  make_request("a", 0, 10s));
    return caf::behavior{[](int) {}};
  });
  sched.run();
  CHECK_EQ(bob->served.size(), 1u);
  kill(asker);
  CHECK_EQ(bob->cancelled.size(), 1u);
}

CAF_TEST(an anonymous request is a notify) {
  auto bob = connect();
  serve(bob, "a");
  caf::anon_send(hub, request_atom_v, make_request("a", 0, 10s));
  sched.run();
  REQUIRE_EQ(bob->served.size(), 1u);
  CHECK_EQ(bob->served[0].first.number, 0u);
  CHECK_EQ(pending_timers(), 0u);
}

CAF_TEST(a router that dies answers the embedded askers) {
  auto bob = connect();
  serve(bob, "a");
  auto result = request("a");
  restart();
  CHECK_EQ(result_of(result), to_string(caf::error{errc::internal}));
}

END_FIXTURE_SCOPE()
