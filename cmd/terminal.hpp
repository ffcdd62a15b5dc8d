#pragma once

#include <cstddef>
#include <string_view>

namespace callboard::cmd {

/// Returns whether standard output is a terminal.
bool has_terminal() noexcept;

/// The terminal's second screen, for as long as this lives; the first one is
/// as it was behind it. Meanwhile SIGINT, SIGTERM and SIGHUP end the program
/// with 0, at once and wherever it is, with the first screen back. One at a
/// time.
class full_screen {
public:
  full_screen();

  full_screen(const full_screen&) = delete;

  full_screen& operator=(const full_screen&) = delete;

  ~full_screen();

  /// Returns how many lines it has; 24 where it does not say.
  [[nodiscard]] static size_t lines() noexcept;

  /// Shows a text in place of what was there.
  static void show(std::string_view text);
};

} // namespace callboard::cmd
