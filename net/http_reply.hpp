#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <callboard/actors/limits.hpp>
#include <callboard/messages/errc.hpp>
#include <callboard/net/http_front.hpp>
#include <callboard/net/http_reader.hpp>

namespace callboard::net {

/// What answers a request, before it is put into HTTP's form.
struct http_content {
  /// 200 … 599.
  unsigned status = 200;
  /// The value of Content-Type; without one there is no body.
  std::string_view type;
  /// Further header lines, each with its CR LF.
  std::string fields;
  /// The body; if this is empty, `file` is.
  std::string text;
  /// Bytes that live as long as the program.
  std::string_view file;
};

/// An answer in HTTP's form.
struct http_reply {
  unsigned status = 200;
  /// The lines up to and including the empty one.
  std::string head;
  /// The body; if this is empty, `file` is.
  std::string text;
  std::string_view file;
  /// Whether the connection ends behind this.
  bool close = true;
  /// Set if and only if the status is 101: what goes to `http_front::open`,
  /// but for the socket and the head. A place is reserved for it, unless it
  /// `waits`.
  std::optional<ws_upgrade> upgrade;
  /// Whether the place is still to be waited for, as `http_front::enter_queue`
  /// has it.
  bool waits = false;

  /// Returns the body's bytes.
  [[nodiscard]] std::string_view body() const noexcept {
    return text.empty() ? file : std::string_view{text};
  }
};

/// Returns a refusal with the name and the sentence of one of our errors.
http_refusal make_refusal(errc code, unsigned status);

/// Returns the refusal that tells of a limit: 429 where it is that of an
/// address, else 503.
http_refusal make_refusal(const limit_hit& x);

/// Returns why no connections are taken now; nothing: they are.
std::optional<http_refusal> check_ready(const http_front& front);

/// Returns `{"error": name, "message": sentence}` in a line, with `"urls": […]`
/// where there are some, and with the header fields that a refusal of this
/// status needs.
http_content to_content(const http_refusal& refusal);

/// Puts an answer into HTTP's form.
/// @param without_body leaves the body out, as the answer to HEAD does.
http_reply to_reply(http_content content, bool without_body, bool close);

/// Returns a refusal behind which the connection ends.
http_reply to_reply(const http_refusal& refusal);

/// Returns the phrase that goes with a status; empty for one not used here.
std::string_view http_reason(unsigned status) noexcept;

} // namespace callboard::net
