#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <caf/expected.hpp>

#include <callboard/net/http_reader.hpp>

namespace callboard::net {

/// Reads the key of the admin listener, without the line's end behind it.
/// @returns a sentence with the path if it cannot be read, or is none of
///          16 … 4096 visible characters of ASCII.
caf::expected<std::string> read_admin_key(const std::string& path);

/// Decides who may ask a node for what operators ask. With a key, who shows it;
/// without, programs of this machine, but no pages in its browsers: these send
/// an Origin, or come by a name that somebody else has pointed here. On
/// loopback the same keeps pages from what takes no key.
class admin_gate {
public:
  /// @param key empty: there is none.
  /// @param on_loopback whether programs of this machine alone get here.
  admin_gate(std::string key, bool on_loopback)
    : key_{std::move(key)}, on_loopback_{on_loopback} {
  }

  void set_key(std::string x) {
    key_ = std::move(x);
  }

  /// Returns why a request is not served: 401, or 403.
  /// @param secret whether the key is needed for what it asks for.
  [[nodiscard]] std::optional<http_refusal> check(const http_request& x,
                                                  bool secret) const;

private:
  [[nodiscard]] bool is_key(std::string_view x) const noexcept;

  std::string key_;
  bool on_loopback_;
};

} // namespace callboard::net
