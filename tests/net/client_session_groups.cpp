// A client as a member of groups.

#include <callboard/net/client_session.hpp>

#include "net/played_session.hpp"

using namespace callboard;
using namespace callboard::net;
using namespace std::chrono_literals;

namespace {

struct fixture : played_session {
  fixture() {
    client_handlers handlers;
    handlers.on_gap = [this](const gap& x) {
      log.push_back("gap " + std::string{x.subject} + ' '
                    + std::string{x.reason});
    };
    handlers.on_error = [this](const caf::error& x) {
      log.push_back("error " + details(x).name);
    };
    make({}, handlers);
  }

  void connect() {
    uut->connected(
      [this](const frame_view& x) {
        auto line = std::string{to_string(x.type)};
        if (!x.subject.empty())
          line += ' ' + std::string{x.subject};
        if (x.meta.has(meta_key::group))
          line += " of " + std::string{x.meta.group};
        if (x.meta.has(meta_key::ack))
          line += x.meta.ack ? " ack" : " no ack";
        if (x.meta.has(meta_key::key))
          line += " key " + std::string{x.meta.key};
        if (x.type == frame_type::ack || x.type == frame_type::error)
          line += ' ' + std::to_string(x.seq_id);
        sent.push_back(line);
        last_seq_id = x.seq_id;
        return true;
      },
      10);
  }

  void refuse(errc code) {
    played_session::refuse(last_seq_id, code);
  }

  void event(std::string_view topic, std::string_view group, uint64_t offset,
             uint32_t seq_id, uint64_t attempt = 1) {
    frame_view x;
    x.type = frame_type::event;
    x.subject = topic;
    x.seq_id = seq_id;
    x.meta.offset = offset;
    x.meta.mark(meta_key::offset);
    if (!group.empty()) {
      x.meta.group = group;
      x.meta.mark(meta_key::group);
    }
    if (attempt > 1) {
      x.meta.attempt = attempt;
      x.meta.mark(meta_key::attempt);
    }
    uut->handle(x);
  }

  void join(const std::string& group = "g", bool ack = true) {
    uut->join(
      "a", {group, ack},
      [this, group](const event_view& x) {
        log.push_back(group + '@' + std::to_string(x.offset) + 'x'
                      + std::to_string(x.attempt));
        return confirms;
      },
      [this](caf::expected<net::position> x) {
        log.push_back(x ? "at " + std::to_string(x->offset)
                        : details(x.error()).name);
      });
  }

  // Joins as who answers when the test does.
  void join_later() {
    member_handlers handlers;
    handlers.on_event = [this](const event_view&, member_answer answer) {
      answers.push_back(std::move(answer));
    };
    handlers.on_lost = [this](const caf::error& why) {
      log.push_back("lost " + details(why).name);
    };
    uut->join("a", {"g", true}, handlers, {});
  }

  bool confirms = true;
  std::vector<member_answer> answers;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(client_session_groups_tests, fixture)

CAF_TEST(a member confirms what its handler took) {
  connect();
  join();
  CAF_CHECK_EQUAL(take_sent(), lines{"subscribe a of g ack"});
  respond(R"({"epoch":"e","offset":4,"recovered":true})");
  CAF_CHECK_EQUAL(take_log(), lines{"at 4"});
  event("a", "g", 5, 1);
  CAF_CHECK_EQUAL(take_log(), lines{"g@5x1"});
  CAF_CHECK_EQUAL(take_sent(), lines{"ack 1"});
  confirms = false;
  event("a", "g", 6, 2, 3);
  CAF_CHECK_EQUAL(take_log(), lines{"g@6x3"});
  CAF_CHECK_EQUAL(take_sent(), lines{"error rejected 2"});
}

CAF_TEST(without confirmation nothing is sent) {
  connect();
  join("g", false);
  CAF_CHECK_EQUAL(take_sent(), lines{"subscribe a of g no ack"});
  respond();
  event("a", "g", 5, 0);
  CAF_CHECK_EQUAL(take_sent(), lines{});
  CAF_CHECK_EQUAL(take_log(), (lines{"at 0", "g@5x1"}));
}

CAF_TEST(events of groups and of subscriptions go to their handlers) {
  connect();
  join("g");
  respond();
  join("h");
  respond();
  uut->subscribe("a",
                 [this](const event_view& x) {
                   log.push_back("plain@" + std::to_string(x.offset));
                 },
                 {});
  respond(R"({"epoch":"e","offset":0})");
  take_log();
  event("a", "h", 1, 1);
  event("a", "", 1, 0);
  event("a", "g", 1, 2);
  CAF_CHECK_EQUAL(take_log(), (lines{"h@1x1", "plain@1", "g@1x1"}));
  join("g");
  CAF_CHECK_EQUAL(take_log(), lines{"already_subscribed"});
}

CAF_TEST(a member may answer later) {
  connect();
  join_later();
  respond();
  take_sent();
  event("a", "g", 5, 1);
  event("a", "g", 6, 2);
  CAF_CHECK_EQUAL(take_sent(), lines{});
  answers[1](false);
  answers[0](true);
  CAF_CHECK_EQUAL(take_sent(), (lines{"error rejected 2", "ack 1"}));
  // Once.
  answers[0](true);
  CAF_CHECK_EQUAL(take_sent(), lines{});
}

CAF_TEST(an event that was taken away is not answered) {
  connect();
  join_later();
  respond();
  take_sent();
  event("a", "g", 5, 1);
  tell(frame_type::cancel, 1, "");
  answers[0](true);
  CAF_CHECK_EQUAL(take_sent(), lines{});
}

CAF_TEST(an event is answered on the connection that it came by) {
  connect();
  join_later();
  respond();
  event("a", "g", 5, 1);
  uut->disconnected();
  take_sent();
  connect();
  respond();
  take_sent();
  event("a", "g", 5, 1, 2);
  answers[0](true);
  CAF_CHECK_EQUAL(take_sent(), lines{});
  answers[1](true);
  CAF_CHECK_EQUAL(take_sent(), lines{"ack 1"});
}

CAF_TEST(a membership that is not to be had again is told as lost) {
  connect();
  join_later();
  respond();
  uut->disconnected();
  connect();
  refuse(errc::forbidden);
  CAF_CHECK_EQUAL(take_log(), (lines{"lost forbidden", "error forbidden"}));
}

CAF_TEST(what comes after a member has left is for another one) {
  connect();
  join();
  respond();
  uut->leave("a", "g", {});
  event("a", "g", 1, 7);
  lines want{"subscribe a of g ack", "unsubscribe a of g", "error rejected 7"};
  CAF_CHECK_EQUAL(take_sent(), want);
  CAF_CHECK_EQUAL(take_log(), lines{"at 0"});
}

CAF_TEST(a member is one again after a lost connection) {
  connect();
  join();
  respond();
  take_log();
  uut->disconnected();
  take_sent();
  connect();
  CAF_CHECK_EQUAL(take_sent(), lines{"subscribe a of g ack"});
  // It is tried again where that can help.
  refuse(errc::overloaded);
  CAF_CHECK_EQUAL(take_log(), lines{});
  now += 1s;
  uut->expire();
  CAF_CHECK_EQUAL(take_sent(), lines{"subscribe a of g ack"});
  respond();
  event("a", "g", 1, 3);
  CAF_CHECK_EQUAL(take_log(), lines{"g@1x1"});
  uut->disconnected();
  connect();
  refuse(errc::forbidden);
  CAF_CHECK_EQUAL(take_log(), lines{"error forbidden"});
  uut->disconnected();
  take_sent();
  connect();
  CAF_CHECK_EQUAL(take_sent(), lines{});
}

CAF_TEST(a first wish survives a lost connection and a refusal ends it) {
  connect();
  join();
  uut->disconnected();
  take_sent();
  connect();
  CAF_CHECK_EQUAL(take_sent(), lines{"subscribe a of g ack"});
  refuse(errc::forbidden);
  CAF_CHECK_EQUAL(take_log(), lines{"forbidden"});
  join();
  respond();
  CAF_CHECK_EQUAL(take_log(), lines{"at 0"});
}

CAF_TEST(what becomes of an earlier wish does not end a later one) {
  connect();
  join();
  auto first = last_seq_id;
  uut->leave("a", "g", {});
  auto gone = last_seq_id;
  join();
  auto second = last_seq_id;
  // The server has all three before it answers the first.
  last_seq_id = first;
  refuse(errc::cancelled);
  last_seq_id = gone;
  respond();
  last_seq_id = second;
  respond(R"({"epoch":"e","offset":4})");
  CAF_CHECK_EQUAL(take_log(), (lines{"cancelled", "at 4"}));
  take_sent();
  event("a", "g", 5, 1);
  CAF_CHECK_EQUAL(take_log(), lines{"g@5x1"});
  CAF_CHECK_EQUAL(take_sent(), lines{"ack 1"});
  // It is a member again after a lost connection.
  uut->disconnected();
  connect();
  CAF_CHECK_EQUAL(take_sent(), lines{"subscribe a of g ack"});
}

CAF_TEST(only the last of several wishes without a connection is sent) {
  join();
  uut->leave("a", "g", {});
  join();
  connect();
  CAF_CHECK_EQUAL(take_sent(), lines{"subscribe a of g ack"});
  CAF_CHECK_EQUAL(take_log(), lines{"cancelled"});
  respond();
  event("a", "g", 5, 1);
  CAF_CHECK_EQUAL(take_log(), (lines{"at 0", "g@5x1"}));
}

CAF_TEST(who left and joined anew is not asked for twice) {
  connect();
  join();
  respond();
  uut->disconnected();
  connect();
  refuse(errc::overloaded);
  uut->leave("a", "g", {});
  respond();
  join();
  take_sent();
  take_log();
  now += 1s;
  uut->expire();
  CAF_CHECK_EQUAL(take_sent(), lines{});
  respond();
  CAF_CHECK_EQUAL(take_log(), lines{"at 0"});
}

CAF_TEST(a gap of a group is told and moves no subscription) {
  connect();
  uut->subscribe("a", {}, {});
  respond(R"({"epoch":"e","offset":7})");
  join();
  respond();
  take_log();
  auto body = payload::from_json(
                R"({"epoch":"e","offset":2,"reason":"history exceeded"})")
                .value();
  frame_view x;
  x.type = frame_type::position;
  x.subject = "a";
  x.payload = body.view();
  x.meta.mark(meta_key::group);
  x.meta.group = "g";
  uut->handle(x);
  CAF_CHECK_EQUAL(take_log(), lines{"gap a history exceeded"});
}

CAF_TEST(publications have keys) {
  connect();
  uut->publish("a", {}, {.key = "k"}, {});
  CAF_CHECK_EQUAL(take_sent(), lines{"publish a key k"});
}

CAF_TEST_FIXTURE_SCOPE_END()
