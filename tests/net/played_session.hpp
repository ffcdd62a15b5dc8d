#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <callboard/messages/errc.hpp>
#include <callboard/messages/payload.hpp>
#include <callboard/net/client_error.hpp>
#include <callboard/net/client_session.hpp>

#include "support/test.hpp"

namespace callboard::net {

/// A session whose server the test plays, on virtual time: `sent` has what it
/// sends, `log` what it tells, both in words.
struct played_session {
  using lines = std::vector<std::string>;

  void make(const client_options& options, const client_handlers& handlers) {
    uut = std::make_shared<client_session>(options, handlers,
                                           [this] { return now; });
  }

  void tell(frame_type type, uint32_t seq_id, std::string_view subject,
            const std::string& json = "null") {
    tell(type, seq_id, subject, payload::from_json(json).value());
  }

  void tell(frame_type type, uint32_t seq_id, std::string_view subject,
            const payload& body) {
    frame_view x;
    x.type = type;
    x.seq_id = seq_id;
    x.subject = subject;
    x.payload = body.view();
    uut->handle(x);
  }

  void respond(uint32_t seq_id, const payload& body = {}) {
    tell(frame_type::response, seq_id, {}, body);
  }

  /// Answers what was sent last.
  void respond(const std::string& json = "null") {
    tell(frame_type::response, last_seq_id, {}, json);
  }

  void refuse(uint32_t seq_id, errc code) {
    frame_view x;
    x.type = frame_type::error;
    x.seq_id = seq_id;
    x.subject = info(code).name;
    x.meta.code = info(code).number;
    x.meta.mark(meta_key::code);
    x.meta.temporary = info(code).temporary;
    uut->handle(x);
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

} // namespace callboard::net
