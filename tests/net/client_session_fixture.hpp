#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "net/played_session.hpp"

namespace callboard::net {

/// A session with small bounds, and all that can be asked of it.
struct client_session_fixture : played_session {
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
    make(options, handlers);
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

  uint64_t last_timeout_ms = 0;
};

} // namespace callboard::net
