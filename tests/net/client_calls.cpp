#include <callboard/net/client_calls.hpp>

#include <callboard/net/client_error.hpp>

#include "support/test.hpp"

using namespace callboard;
using namespace callboard::net;

namespace {

struct fixture {
  fixture() {
    ask = [this](std::string what, payload x, request_options options,
                 result_handler<payload> done) {
      action = std::move(what);
      question = x.to_json();
      idempotent = options.idempotent;
      id = options.id;
      answer = std::move(done);
    };
  }

  void reply(const std::string& json) {
    // As it comes: in MessagePack.
    byte_buffer bytes;
    auto text = payload::from_json(json).value();
    CAF_REQUIRE(transcode(codec::msgpack, text.view(), bytes));
    answer(payload{payload_view{codec::msgpack, bytes.view()}});
  }

  template <class T>
  result_handler<T> keep(caf::expected<T>& where) {
    return [&where](caf::expected<T> x) { where = std::move(x); };
  }

  asking_function ask;
  std::string action;
  std::string question;
  std::string id;
  bool idempotent = false;
  result_handler<payload> answer;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(client_calls_tests, fixture)

CAF_TEST(history is read) {
  caf::expected<history_page> x{caf::make_error(errc::internal)};
  ask_history(ask, "t", {.since = {"e", 3}, .before = 9, .limit = 5}, keep(x));
  CAF_CHECK_EQUAL(action, "callboard.history");
  CAF_CHECK_EQUAL(question, R"({"topic":"t","since":{"epoch":"e","offset":3},)"
                            R"("before":9,"limit":5,"reverse":false})");
  CAF_CHECK(idempotent);
  reply(R"({"epoch":"f","offset":8,"more":true,"events":[{"offset":4,
            "timestamp":7,"sender":"ann","payload":{"a":[1]},"key":"k"},
           {"offset":5,"timestamp":8,"sender":"","payload":null}]})");
  CAF_REQUIRE(x);
  CAF_CHECK_EQUAL(x->head, (callboard::position{"f", 8}));
  CAF_CHECK(x->more);
  CAF_REQUIRE_EQUAL(x->events.size(), 2u);
  auto& first = x->events[0];
  CAF_CHECK_EQUAL(first.topic, "t");
  CAF_CHECK_EQUAL(first.offset, 4u);
  CAF_CHECK_EQUAL(first.timestamp, 7);
  CAF_CHECK_EQUAL(first.sender, "ann");
  CAF_CHECK_EQUAL(first.payload.to_json(), R"({"a":[1]})");
  CAF_CHECK_EQUAL(first.key, "k");
  CAF_CHECK(x->events[1].payload.is_nil());
}

CAF_TEST(what is not asked for is nil) {
  ask_history(ask, "t", {}, {});
  CAF_CHECK_EQUAL(question, R"({"topic":"t","since":null,"before":null,)"
                            R"("limit":100,"reverse":false})");
  // Nobody listens.
  reply("{}");
}

CAF_TEST(a position is read) {
  caf::expected<net::position> x{caf::make_error(errc::internal)};
  ask_position(ask, "t", keep(x));
  CAF_CHECK_EQUAL(action, "callboard.position");
  CAF_CHECK_EQUAL(question, R"({"topic":"t"})");
  reply(R"({"epoch":"e","offset":7})");
  CAF_REQUIRE(x);
  CAF_CHECK_EQUAL(x->epoch, "e");
  CAF_CHECK_EQUAL(x->offset, 7u);
}

CAF_TEST(errors and answers of another shape are told) {
  caf::expected<net::position> x{net::position{}};
  ask_position(ask, "t", keep(x));
  answer(caf::make_error(errc::forbidden));
  CAF_CHECK_EQUAL(errc_of(x.error()), errc::forbidden);
  reply("[1]");
  CAF_CHECK_EQUAL(errc_of(x.error()), errc::bad_payload);
}

CAF_TEST(presence is read) {
  caf::expected<member_page> x{caf::make_error(errc::internal)};
  ask_presence(ask, "t", 2, "", keep(x));
  CAF_CHECK_EQUAL(question, R"({"topic":"t","limit":2,"after":null})");
  reply(R"({"members":[{"user":"ann","connections":["c1","c2"]},
                       {"connections":["c3"]}],"next":"n"})");
  CAF_REQUIRE(x);
  std::vector<net::member> want{{"ann", {"c1", "c2"}}, {"", {"c3"}}};
  CAF_CHECK(x->members == want);
  CAF_CHECK_EQUAL(x->next, "n");
  ask_presence(ask, "t", 2, x->next, keep(x));
  CAF_CHECK_EQUAL(question, R"({"topic":"t","limit":2,"after":"n"})");
  reply(R"({"members":[]})");
  CAF_REQUIRE(x);
  CAF_CHECK_EQUAL(x->next, "");
  caf::expected<presence_count> count{caf::make_error(errc::internal)};
  ask_presence_count(ask, "t", keep(count));
  CAF_CHECK_EQUAL(action, "callboard.presence_count");
  reply(R"({"members":2,"connections":3})");
  CAF_REQUIRE(count);
  CAF_CHECK(*count == (presence_count{2, 3}));
}

CAF_TEST(what is not one value is not pushed) {
  caf::expected<net::position> x{caf::make_error(errc::internal)};
  ask_push(ask, "ann", payload{payload_view{codec::msgpack, "\xc1"}}, "",
           keep(x));
  CAF_CHECK_EQUAL(action, "");
  CAF_REQUIRE(!x);
  CAF_CHECK(x.error() == errc::bad_payload);
}

CAF_TEST(a push is sent again only with an id) {
  caf::expected<net::position> x{caf::make_error(errc::internal)};
  ask_push(ask, "ann", payload::from_json(R"({"a":1})").value(), "", keep(x));
  CAF_CHECK_EQUAL(action, "callboard.push");
  CAF_CHECK_EQUAL(question, R"({"user":"ann","payload":{"a":1}})");
  CAF_CHECK(!idempotent);
  ask_push(ask, "ann", {}, "i", keep(x));
  CAF_CHECK_EQUAL(question, R"({"user":"ann","payload":null})");
  CAF_CHECK(idempotent);
  CAF_CHECK_EQUAL(id, "i");
}

CAF_TEST_FIXTURE_SCOPE_END()
