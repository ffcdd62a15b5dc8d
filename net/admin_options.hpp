#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace callboard::net {

/// Where operators talk to a node, beside the port of its clients.
struct admin_options {
  /// Whether there is such a place.
  bool enabled = false;
  /// IP address to listen on, v4 or v6. Off loopback it takes a `key_file`.
  std::string address = "127.0.0.1";
  /// TCP port, 0 … 65,535; 0 lets the system choose.
  uint16_t port = 8081;
  /// Whether the server does without, and warns once, where the port cannot be
  /// had.
  bool optional = false;
  /// File with the one key, 16 … 4096 visible characters of ASCII, that has to
  /// be shown (`Authorization: Bearer KEY`); read again by `server::reload`.
  /// Empty: who reaches the port may do everything.
  std::string key_file;
  /// Returns from which level on the process logs, and sets it: `debug`,
  /// `info`, `warn`, `error` or `off`; false: there is no such level. Called on
  /// a loop's thread. Empty: nobody can.
  std::function<std::string()> log_level;
  std::function<bool(const std::string&)> set_log_level;
};

/// Returns a sentence that says what is wrong; empty if all is well.
std::string check(const admin_options& x);

/// Returns whether an IP address reaches this machine only.
bool is_loopback(const std::string& address);

} // namespace callboard::net
