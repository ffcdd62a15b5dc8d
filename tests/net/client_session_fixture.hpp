#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <callboard/messages/errc.hpp>
#include <callboard/net/client_error.hpp>
#include <callboard/net/client_session.hpp>

#include "support/test.hpp"

namespace callboard::net {

/// A session whose server the test plays: `sent` has what it sends, `log` what
/// it tells, both in words.
struct client_session_fixture {
  using lines = std::vector<std::string>;

  explicit client_session_fixture(queue_policy when_full
                                  = queue_policy::drop_oldest) {
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
        last_timeout_ms = x.meta.timeout_ms;
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

  void refuse(uint32_t seq_id, errc code) {
    frame_view x;
    x.type = frame_type::error;
    x.seq_id = seq_id;
    x.subject = info(code).name;
    x.meta.code = info(code).number;
    x.meta.mark(meta_key::code);
    uut->handle(x);
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
  uint64_t last_timeout_ms = 0;
};

} // namespace callboard::net
