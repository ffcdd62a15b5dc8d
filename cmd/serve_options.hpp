#pragma once

#include <string>
#include <vector>

#include <callboard/net/server_options.hpp>
#include <callboard/net/token_authority.hpp>

#include "privileges.hpp"
#include "setting.hpp"

namespace callboard::cmd {

/// What `callboard serve` is started with.
struct serve_options {
  net::server_options server = [] {
    net::server_options x;
    x.admin.enabled = true;
    x.admin.optional = true;
    return x;
  }();
  /// What clients are let in by; without keys in it, everybody is.
  net::token_options tokens;
  /// Whether browsers get the page at `/`.
  bool page = true;
  /// Whom the process becomes once its port is bound.
  user_name user;
  /// debug, info, warn, error or off.
  std::string log_level = "info";
  /// text or json.
  std::string log_format = "text";
};

/// Returns the table of the settings of `callboard serve`: it makes the flags,
/// the environment's and the config file's names, and `--help`.
std::vector<setting> serve_settings(serve_options& x);

/// Returns the names of the settings that differ and whose new value counts
/// after a restart only.
std::vector<std::string> need_restart(serve_options running,
                                      serve_options wanted);

/// Checks what no setting can check alone.
/// @returns empty, or what is wrong.
std::string check(const serve_options& x);

} // namespace callboard::cmd
