#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include <caf/error.hpp>

#include <callboard/net/client.hpp>

#include "settings.hpp"

namespace callboard::cmd {

/// Exit codes of the program.
enum exit_code : int {
  exit_ok = 0,
  exit_failed = 1,
  exit_usage = 2,
};

/// What the commands that are clients of a server share: URL, token and the
/// time to connect.
class connection {
public:
  /// Adds URL and flags to a command.
  void add_to(CLI::App& command);

  /// Adds a command's own settings beside them; call before `add_to`.
  void add(setting x);

  /// Reads flags and environment, once the command line is parsed.
  /// @throws CLI::ValidationError if a value is wrong.
  net::client_options resolve();

private:
  std::string url_;
  net::client_options options_;
  std::vector<setting> list_;
  std::unique_ptr<settings> settings_;
};

/// Reads the argument PAYLOAD.
/// @throws CLI::ValidationError if it is not JSON.
payload payload_argument(const std::string& text);

/// Prints a line to standard error, with the program's name in front.
void say(std::string_view line);

/// Prints `error CODE NAME: SENTENCE`, or `error: SENTENCE` where the server
/// had no part in it.
void print_error(const caf::error& x);

/// Returns handlers that tell people on standard error about lost
/// connections, gaps and errors that belong to nothing else.
/// @param unreachable is called where even the first attempt to connect fails:
///                    a wrong address should not look like a quiet server.
net::client_handlers
telling_handlers(std::function<void(const caf::error&)> unreachable);

} // namespace callboard::cmd
