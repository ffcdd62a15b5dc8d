#pragma once

#include <functional>
#include <optional>

#include <callboard/net/http_reader.hpp>
#include <callboard/net/http_reply.hpp>

namespace callboard::net {

/// Answers requests that may have a body, and need not be answered at once: a
/// front that has one serves operators. Used on the loop's thread.
class http_desk {
public:
  /// Takes the answer, once. Whether or not somebody still waits for it.
  using reply = std::function<void(http_content)>;

  virtual ~http_desk() = default;

  /// Looks at a request before any of its body is read.
  /// @returns why it is not served; nothing: it is.
  virtual std::optional<http_content> check(const http_request& x) = 0;

  /// Returns whether a request, which has passed `check`, is for `serve`. The
  /// others are answered like those of clients.
  virtual bool takes(const http_request& x) = 0;

  /// Answers a request that has its body, before or after this returns.
  virtual void serve(http_request x, reply f) = 0;
};

} // namespace callboard::net
