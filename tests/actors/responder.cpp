#include <callboard/actors/responder.hpp>

#include <stdexcept>

#include "actors/router_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

namespace {

struct sum_request {
  int a = 0;
  int b = 0;
  MSGPACK_DEFINE_MAP(a, b)
};

struct sum_answer {
  int sum = 0;
  MSGPACK_DEFINE_MAP(sum)
};

struct fixture : router_fixture {
  template <class Request, class F>
  caf::actor serve_by(const std::string& action, F f) {
    auto result = make_responder<Request>(sys, std::move(f));
    embed(action, result);
    return result;
  }

  /// Asks as a client and returns what it is told.
  request_outcome outcome_of(const std::string& action, const payload& x) {
    auto alice = connect();
    auto request = make_request(action, 7, 10s);
    request->content.payload = x;
    request->content.sender = "alice";
    say(alice, route_atom_v, request);
    if (alice->answers.size() != 1)
      CAF_FAIL("answers: " << alice->answers.size());
    return alice->answers[0].second;
  }

  /// Asks as an embedded actor and returns the error.
  caf::error error_of(const std::string& action, const payload& x) {
    auto request = make_request(action, 0, 10s);
    request->content.payload = x;
    auto result = self->request(hub, caf::infinite, request_atom_v, request);
    sched.run();
    caf::error error;
    result.receive([](const payload&) { CAF_FAIL("not an error"); },
                   [&error](const caf::error& e) { error = e; });
    return error;
  }

  static payload json(std::string_view text) {
    return payload::from_json(text).value();
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

// -- values -------------------------------------------------------------------

CAF_TEST(values are converted on the way in and out) {
  serve_by<sum_request>("sum", [](const sum_request& x) {
    return sum_answer{x.a + x.b};
  });
  auto in_msgpack = outcome_of("sum", payload::pack(sum_request{1, 2}));
  CHECK_EQ(in_msgpack.payload.get_as<sum_answer>().value().sum, 3);
  auto in_json = outcome_of("sum", json(R"({"a": 4, "b": 5})"));
  CHECK_EQ(in_json.payload.get_as<sum_answer>().value().sum, 9);
}

CAF_TEST(a handler may see who asks) {
  serve_by<int>("who", [](int n, const action_request& context) {
    return context.action + ' ' + context.sender + ' ' + std::to_string(n);
  });
  CHECK_EQ(text_of(outcome_of("who", payload::pack(3)).payload), "who alice 3");
}

CAF_TEST(a payload may stay as it is) {
  serve_by<payload>("echo", [](const payload& x) { return x; });
  auto got = outcome_of("echo", json("[1, 2]"));
  CHECK_EQ(got.payload.to_json(), "[1, 2]");
  CHECK_EQ(static_cast<int>(got.payload.encoding()),
           static_cast<int>(codec::json));
}

CAF_TEST(a handler may answer nothing) {
  auto count = std::make_shared<int>(0);
  serve_by<int>("add", [count](int n) { *count += n; });
  auto got = outcome_of("add", payload::pack(3));
  CHECK(!got.failed());
  CHECK(got.payload.empty());
  CHECK_EQ(*count, 3);
}

CAF_TEST(a handler keeps its state from request to request) {
  serve_by<int>("sum", [sum = 0](int n) mutable { return sum += n; });
  CHECK_EQ(outcome_of("sum", payload::pack(3)).payload.get_as<int>(), 3);
  CHECK_EQ(outcome_of("sum", payload::pack(4)).payload.get_as<int>(), 7);
}

// -- errors -------------------------------------------------------------------

CAF_TEST(a payload of another shape is told to the asker) {
  auto called = std::make_shared<bool>(false);
  serve_by<sum_request>("sum", [called](const sum_request&) {
    *called = true;
    return 0;
  });
  for (auto& x : {payload::pack("text"), payload::pack(7), payload{},
                  json(R"({"a": "one"})")}) {
    auto got = outcome_of("sum", x);
    CHECK_EQ(got.code, 1000u);
    CHECK_EQ(got.name, "bad_payload");
    CHECK(!got.temporary);
    CHECK_EQ(text_of(got.payload),
             "The payload is not what this action takes.");
  }
  CHECK(!*called);
}

CAF_TEST(an error of the application passes through as it is) {
  serve_by<int>("pay", [](int n) -> caf::expected<int> {
    if (n > 10)
      return to_error(
        responder_error{1234, "too_much", "Ask for less.", true, 1500us});
    return n;
  });
  CHECK_EQ(outcome_of("pay", payload::pack(10)).payload.get_as<int>(), 10);
  auto got = outcome_of("pay", payload::pack(11));
  CHECK_EQ(got.code, 1234u);
  CHECK_EQ(got.name, "too_much");
  CHECK(got.temporary);
  CHECK_EQ(got.retry_after_ms, 2u);
  CHECK_EQ(text_of(got.payload), "Ask for less.");
}

CAF_TEST(an embedded asker gets the whole error too) {
  serve_by<int>("pay", [](int) -> caf::expected<void> {
    return to_error(
      responder_error{1234, "too_much", "Ask for less.", true, 2ms});
  });
  auto error = error_of("pay", payload::pack(11));
  CHECK_EQ(error, errc::responder_failed);
  auto got = responder_error_of(error);
  REQUIRE(got.has_value());
  CHECK_EQ(got->code, 1234u);
  CHECK_EQ(got->name, "too_much");
  CHECK_EQ(got->sentence, "Ask for less.");
  CHECK(got->temporary);
  CHECK_EQ(got->retry_after, caf::timespan{2ms});
}

CAF_TEST(the sentence of an error reaches an embedded asker) {
  serve_by<int>("a", [](int n) -> caf::expected<void> {
    if (n == 0)
      return caf::make_error(errc::forbidden);
    return caf::make_error(errc::forbidden, std::string{"members only"});
  });
  CHECK_EQ(to_string(error_of("a", payload::pack(0))),
           to_string(caf::make_error(errc::forbidden)));
  CHECK_EQ(to_string(error_of("a", payload::pack(1))),
           to_string(
             caf::make_error(errc::forbidden, std::string{"members only"})));
}

CAF_TEST(an application has the numbers from 1000 on) {
  serve_by<int>("a", [](int n) -> caf::expected<void> {
    return to_error(
      responder_error{static_cast<uint16_t>(n), "mine", "", false, {}});
  });
  CHECK_EQ(outcome_of("a", payload::pack(1000)).code, 1000u);
  CHECK_EQ(outcome_of("a", payload::pack(65'535)).code, 65'535u);
  CHECK_EQ(outcome_of("a", payload::pack(999)).name, "responder_failed");
  CHECK_EQ(outcome_of("a", payload::pack(0)).name, "responder_failed");
  CHECK(!responder_error_of(error_of("a", payload::pack(999))).has_value());
}

CAF_TEST(an exception fails the request alone) {
  serve_by<int>("a", [](int n) {
    if (n == 0)
      throw std::runtime_error{"the password is swordfish"};
    return n;
  });
  auto got = outcome_of("a", payload::pack(0));
  CHECK_EQ(got.name, "responder_failed");
  CHECK_EQ(text_of(got.payload), info(errc::responder_failed).sentence);
  CHECK_EQ(outcome_of("a", payload::pack(5)).payload.get_as<int>(), 5);
}

CAF_TEST(other errors carry none of an application) {
  CHECK(!responder_error_of(caf::error{}).has_value());
  CHECK(!responder_error_of(caf::make_error(errc::forbidden)).has_value());
  CHECK(!responder_error_of(caf::make_error(errc::responder_failed)));
  CHECK(!responder_error_of(
    caf::make_error(caf::sec::runtime_error, std::string{"no"})));
}

END_FIXTURE_SCOPE()
