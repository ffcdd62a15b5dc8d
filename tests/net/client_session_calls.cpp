// Cancelling, notifications, what is sent again, what gives way, presence and
// last values, and a fresh token.

#include <callboard/net/client_session.hpp>

#include <callboard/net/client_error.hpp>

#include "support/test.hpp"

using namespace callboard;
using namespace callboard::net;
using namespace std::chrono_literals;

namespace {

struct fixture {
  using lines = std::vector<std::string>;

  explicit fixture(queue_policy when_full = queue_policy::drop_oldest) {
    client_handlers handlers;
    handlers.on_gap = [this](const gap& x) {
      log.push_back("gap " + std::string{x.subject} + " at "
                    + std::to_string(x.at.offset));
    };
    handlers.on_recovered = [this](const std::string& topic,
                                   const position& since) {
      log.push_back("recovered " + topic + " from "
                    + std::to_string(since.offset));
    };
    handlers.on_lost = [this](const std::string& subject, const caf::error&) {
      log.push_back("lost " + subject);
    };
    client_options options;
    options.queue_max = 2;
    options.queued_bytes_max = 50;
    options.when_full = when_full;
    uut = std::make_shared<client_session>(options, handlers,
                                           [this] { return now; });
  }

  void connect(size_t inflight_max = 10) {
    sent.clear();
    uut->connected(
      [this](const frame_view& x) {
        sent.push_back(words_of(x));
        last_seq_id = x.seq_id;
        return true;
      },
      inflight_max);
  }

  static std::string words_of(const frame_view& x) {
    auto result = std::string{to_string(x.type)};
    if (!x.subject.empty())
      result += ' ' + std::string{x.subject};
    if (x.seq_id == 0)
      result += " unanswered";
    if (x.meta.has(meta_key::presence))
      result += " presence";
    if (x.meta.has(meta_key::since))
      result += " since " + std::to_string(x.meta.since.offset);
    if (x.meta.has(meta_key::trace))
      result += " trace " + std::string{x.meta.trace};
    if (x.meta.has(meta_key::id))
      result += " id " + std::string{x.meta.id};
    return result;
  }

  void tell(frame_type type, uint32_t seq_id, std::string_view subject,
            const std::string& json = "null") {
    auto body = payload::from_json(json).value();
    frame_view x;
    x.type = type;
    x.seq_id = seq_id;
    x.subject = subject;
    x.payload = body.view();
    uut->handle(x);
  }

  void respond(const std::string& json = "null") {
    tell(frame_type::response, last_seq_id, "", json);
  }

  void event(uint64_t offset, bool retained = false, std::string epoch = {}) {
    frame_view x;
    x.type = frame_type::event;
    x.subject = "t";
    x.meta.offset = offset;
    x.meta.mark(meta_key::offset);
    x.meta.retained = retained;
    if (retained)
      x.meta.mark(meta_key::retained);
    x.meta.epoch = epoch;
    if (!epoch.empty())
      x.meta.mark(meta_key::epoch);
    uut->handle(x);
  }

  template <class T>
  result_handler<T> note(const std::string& what) {
    return [this, what](const caf::expected<T>& x) {
      log.push_back(what + (x ? " ok" : ' ' + details(x.error()).name));
    };
  }

  operation_id ask(const std::string& action, bool idempotent = false) {
    return uut->request(action, {}, request_options{.idempotent = idempotent},
                        note<payload>(action));
  }

  operation_id publish(const std::string& topic, publish_options options = {},
                       payload body = {}) {
    return uut->publish(topic, std::move(body), std::move(options),
                        note<position>(topic));
  }

  void subscribe(subscribe_options options = {}) {
    uut->subscribe(
      "t", std::move(options),
      [this](const event_view& x) {
        log.push_back((x.retained ? "last " : "event ")
                      + std::to_string(x.offset));
      },
      [this](const presence_view& x) {
        for (auto& y : x.notes)
          log.push_back(std::to_string(static_cast<int>(y.what)) + ' ' + y.user
                        + '/' + y.connection);
      },
      [this](const caf::expected<subscribed>& x) {
        log.push_back(!x             ? details(x.error()).name
                      : x->recovered ? "recovered"
                                     : "from " + std::to_string(x->at.offset));
      });
  }

  lines take_sent() {
    return std::exchange(sent, {});
  }

  lines take_log() {
    return std::exchange(log, {});
  }

  client_session::time_point now{};
  std::shared_ptr<client_session> uut;
  lines sent;
  lines log;
  uint32_t last_seq_id = 0;
};

struct rejecting_fixture : fixture {
  rejecting_fixture() : fixture{queue_policy::reject} {
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(client_session_calls_tests, fixture)

CAF_TEST(a request in flight is cancelled at the server) {
  connect();
  auto id = ask("a");
  auto seq_id = last_seq_id;
  CAF_CHECK(uut->cancel(id));
  CAF_CHECK_EQUAL(take_sent(), (lines{"request a", "cancel"}));
  CAF_CHECK_EQUAL(last_seq_id, seq_id);
  CAF_CHECK_EQUAL(take_log(), lines{"a cancelled"});
  // The server's own answer is late.
  tell(frame_type::error, seq_id, "cancelled");
  CAF_CHECK(!uut->cancel(id));
  CAF_CHECK_EQUAL(take_log(), lines{});
  CAF_CHECK_EQUAL(uut->pending(), 0u);
}

CAF_TEST(what is cancelled makes room for what waits) {
  connect(1);
  auto first = ask("a");
  ask("b");
  CAF_CHECK_EQUAL(take_sent(), lines{"request a"});
  uut->cancel(first);
  CAF_CHECK_EQUAL(take_sent(), (lines{"cancel", "request b"}));
}

CAF_TEST(what waits is cancelled without a word to the server) {
  auto id = ask("a");
  CAF_CHECK(uut->cancel(id));
  connect();
  CAF_CHECK_EQUAL(take_sent(), lines{});
  CAF_CHECK_EQUAL(take_log(), lines{"a cancelled"});
}

CAF_TEST(a publication in flight is forgotten) {
  connect();
  auto id = publish("a");
  CAF_CHECK(uut->cancel(id));
  CAF_CHECK_EQUAL(take_sent(), lines{"publish a"});
  CAF_CHECK_EQUAL(take_log(), lines{"a cancelled"});
}

CAF_TEST(a number holds when something is sent again) {
  connect();
  auto id = publish("a", {.id = "1"});
  uut->disconnected();
  connect();
  CAF_CHECK_EQUAL(take_sent(), lines{"publish a id 1"});
  CAF_CHECK(uut->cancel(id));
  CAF_CHECK_EQUAL(take_log(), lines{"a cancelled"});
}

CAF_TEST(idempotent requests are sent again in their order) {
  connect();
  ask("a", true);
  ask("b");
  ask("c", true);
  uut->disconnected();
  CAF_CHECK_EQUAL(take_log(), lines{"b socket_disconnected"});
  connect();
  CAF_CHECK_EQUAL(take_sent(), (lines{"request a", "request c"}));
}

CAF_TEST(notifications are over when they are sent) {
  uut->notify("a", {}, note<void>("a"));
  CAF_CHECK_EQUAL(take_log(), lines{});
  connect(1);
  CAF_CHECK_EQUAL(take_sent(), lines{"notify a unanswered"});
  CAF_CHECK_EQUAL(take_log(), lines{"a ok"});
  publish("b", {.trace = "x", .ack = false});
  CAF_CHECK_EQUAL(take_sent(), lines{"publish b unanswered trace x"});
  CAF_CHECK_EQUAL(take_log(), lines{"b ok"});
  CAF_CHECK_EQUAL(uut->pending(), 0u);
}

CAF_TEST(the oldest gives way) {
  ask("a");
  publish("b");
  CAF_CHECK_EQUAL(take_log(), lines{});
  ask("c");
  CAF_CHECK_EQUAL(take_log(), lines{"a overloaded"});
  connect();
  CAF_CHECK_EQUAL(take_sent(), (lines{"publish b", "request c"}));
}

CAF_TEST(as many give way as bytes are needed) {
  publish("a", {}, payload::pack(std::string(20, 'x')));
  publish("b", {}, payload::pack(std::string(20, 'x')));
  publish("c", {}, payload::pack(std::string(47, 'x')));
  CAF_CHECK_EQUAL(take_log(), (lines{"a overloaded", "b overloaded"}));
  // 50 bytes fit, and 51 do not fit even alone.
  publish("d", {}, payload::pack(std::string(48, 'x')));
  CAF_CHECK_EQUAL(take_log(), lines{"c overloaded"});
  publish("e", {}, payload::pack(std::string(49, 'x')));
  CAF_CHECK_EQUAL(take_log(), lines{"e overloaded"});
}

CAF_TEST(subscriptions do not give way) {
  subscribe();
  ask("a");
  ask("b");
  CAF_CHECK_EQUAL(take_log(), lines{"a overloaded"});
  connect();
  CAF_CHECK_EQUAL(take_sent(), (lines{"subscribe t", "request b"}));
}

CAF_TEST(a subscription begins behind a position) {
  connect();
  subscribe({.since = {"e", 3}});
  CAF_CHECK_EQUAL(take_sent(), lines{"subscribe t since 3"});
  respond(R"({"epoch":"e","offset":5,"recovered":true})");
  event(4);
  CAF_CHECK_EQUAL(take_log(), (lines{"recovered", "event 4"}));
  uut->disconnected();
  connect();
  CAF_CHECK_EQUAL(take_sent(), lines{"subscribe t since 4"});
  respond(R"({"epoch":"e","offset":5,"recovered":true})");
  CAF_CHECK_EQUAL(take_log(), lines{"recovered t from 4"});
}

CAF_TEST(an event comes once) {
  connect();
  subscribe();
  respond(R"({"epoch":"e","offset":4})");
  event(4);
  event(5);
  event(5);
  CAF_CHECK_EQUAL(take_log(), (lines{"from 4", "event 5"}));
  // Offsets of another epoch are others.
  event(1, false, "f");
  event(1, false, "f");
  event(2);
  CAF_CHECK_EQUAL(take_log(), (lines{"event 1", "event 2"}));
}

CAF_TEST(a last value is from before and moves nothing) {
  connect();
  subscribe();
  respond(R"({"epoch":"e","offset":4})");
  event(2, true);
  CAF_CHECK_EQUAL(take_log(), (lines{"from 4", "last 2"}));
  uut->disconnected();
  connect();
  CAF_CHECK_EQUAL(take_sent(), lines{"subscribe t since 4"});
}

CAF_TEST(a gap tells behind which all is there) {
  connect();
  subscribe();
  respond(R"({"epoch":"e","offset":4})");
  tell(frame_type::position, 0, "t",
       R"({"epoch":"f","offset":9,"reason":"epoch changed"})");
  CAF_CHECK_EQUAL(take_log(), (lines{"from 4", "gap t at 9"}));
}

CAF_TEST(a subscription that cannot be had again is lost) {
  connect();
  subscribe();
  respond(R"({"epoch":"e","offset":4})");
  uut->disconnected();
  connect();
  tell(frame_type::error, last_seq_id, "forbidden");
  CAF_CHECK_EQUAL(take_log(), (lines{"from 4", "lost t"}));
}

CAF_TEST(presence is told and asked for again) {
  connect();
  subscribe({.presence = true});
  CAF_CHECK_EQUAL(take_sent(), lines{"subscribe t presence"});
  respond(R"({"epoch":"e","offset":0})");
  take_log();
  tell(frame_type::presence, 0, "t",
       R"([{"event":"join","user":"ann","connection":"c1"},
           {"event":"leave","connection":"c2"},{"event":"reset"}])");
  CAF_CHECK_EQUAL(take_log(), (lines{"0 ann/c1", "1 /c2", "2 /"}));
  tell(frame_type::presence, 0, "other", R"([{"event":"reset"}])");
  tell(frame_type::presence, 0, "t", R"("nonsense")");
  CAF_CHECK_EQUAL(take_log(), lines{});
  uut->disconnected();
  connect();
  CAF_CHECK_EQUAL(take_sent(), lines{"subscribe t presence since 0"});
}

CAF_TEST(a fresh token is answered by a welcome) {
  connect(1);
  ask("a");
  take_sent();
  std::string heard;
  auto done = [&heard](const caf::error& why, const frame_view* reply) {
    heard = why ? details(why).name : payload{reply->payload}.to_json();
  };
  // It waits for its turn, in front of everything else.
  ask("b");
  uut->log_in("T", done);
  CAF_CHECK_EQUAL(take_sent(), lines{});
  respond();
  CAF_CHECK_EQUAL(take_sent(), lines{"connect"});
  tell(frame_type::welcome, last_seq_id, "", "7");
  CAF_CHECK_EQUAL(heard, "7");
  CAF_CHECK_EQUAL(take_sent(), lines{"request b"});
  // With the connection it is forgotten.
  respond();
  uut->log_in("T", done);
  heard = "nothing";
  uut->disconnected();
  connect();
  CAF_CHECK_EQUAL(take_sent(), lines{});
  CAF_CHECK_EQUAL(heard, "nothing");
}

CAF_TEST(who has given up takes nothing until it begins anew) {
  uut->give_up(caf::make_error(errc::cancelled));
  CAF_CHECK_EQUAL(ask("a"), 0u);
  CAF_CHECK_EQUAL(take_log(), lines{"a cancelled"});
  uut->resume();
  ask("b");
  CAF_CHECK_EQUAL(take_log(), lines{});
  CAF_CHECK_EQUAL(uut->pending(), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST_FIXTURE_SCOPE(client_session_reject_tests, rejecting_fixture)

CAF_TEST(what is new is refused) {
  ask("a");
  ask("b");
  CAF_CHECK_EQUAL(take_log(), lines{});
  ask("c");
  CAF_CHECK_EQUAL(take_log(), lines{"c overloaded"});
}

CAF_TEST_FIXTURE_SCOPE_END()
