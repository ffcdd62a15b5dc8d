#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <caf/timespan.hpp>

namespace callboard::cmd {

/// One thing that a user can set, by the same name as a flag
/// (`--ping-interval`), in the environment (`CALLBOARD_PING_INTERVAL`) and in
/// a config file (`ping-interval = 30s`).
struct setting {
  /// Lower-case words with dashes.
  std::string name;
  /// What it takes, as in `--help`: `DURATION`; empty for a switch.
  std::string takes;
  std::string help;
  /// What it accepts, with its unit; empty where anything goes.
  std::string bounds;
  /// The default as a user would write it; empty for none.
  std::string standard;
  /// Takes a value. Returns what is wrong with it; empty: nothing.
  std::function<std::string(std::string_view)> set;
  /// Returns the value as a user could write it; empty: it is not known.
  std::function<std::string()> show = {};
  /// Whether a new value counts while the program runs.
  bool live = false;

  [[nodiscard]] bool is_switch() const noexcept {
    return takes.empty();
  }
};

/// The makers of settings. `x` holds the default and takes the value; it must
/// outlive the setting.
setting duration_setting(std::string name, std::string help, caf::timespan& x,
                         caf::timespan min, caf::timespan max);

/// A number of bytes.
setting size_setting(std::string name, std::string help, size_t& x, size_t min,
                     size_t max);

setting count_setting(std::string name, std::string help, size_t& x, size_t min,
                      size_t max);

/// A share of a whole, 0 … 1.
setting share_setting(std::string name, std::string help, double& x);

setting text_setting(std::string name, std::string takes, std::string help,
                     std::string& x);

/// Several texts with commas between them. `check` returns what is wrong with
/// one; empty: nothing.
setting list_setting(std::string name, std::string takes, std::string help,
                     std::vector<std::string>& x,
                     std::string_view (*check)(std::string_view));

setting choice_setting(std::string name, std::string help, std::string& x,
                       std::vector<std::string> choices);

/// A switch that sets `x` to `when_on`, or to its opposite if switched off.
setting switch_setting(std::string name, std::string help, bool& x,
                       bool when_on = true);

/// Returns the setting as one whose new value counts while the program runs.
setting live(setting x);

/// Returns the name in the environment: `CALLBOARD_PING_INTERVAL`.
std::string environment_name(std::string_view setting_name);

} // namespace callboard::cmd
