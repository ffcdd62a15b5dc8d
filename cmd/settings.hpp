#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "config_file.hpp"
#include "setting.hpp"

namespace callboard::cmd {

/// The settings of a command, and the places where they come from. Each place
/// overrides those that were applied before it. What is wrong is thrown as
/// CLI11's `ValidationError`, which names the place, the value and what would
/// be right.
class settings {
public:
  /// Returns a variable of the environment; null: not set.
  using environment = std::function<const char*(const std::string&)>;

  explicit settings(std::vector<setting> list);

  /// Adds each as a flag to a command.
  void add_to(CLI::App& command);

  /// Applies lines of a config file.
  /// @param file its name, for messages.
  /// @param others says what there is, to who asks for what there is not.
  void apply_lines(const std::vector<config_line>& lines,
                   const std::string& file, std::string_view others) const;

  /// Applies the text of a config file in front of its first section.
  /// @returns the sections, for who knows what is in them.
  [[nodiscard]] std::vector<config_section>
  apply_config(std::string_view text, const std::string& file) const;

  /// Reads a config file and applies it in the same way.
  [[nodiscard]] std::vector<config_section>
  apply_config_file(const std::string& file) const;

  /// Applies what the environment holds; an empty variable counts as not set.
  void apply_environment(const environment& lookup) const;

  /// Applies the flags that were given.
  void apply_flags() const;

private:
  struct entry {
    setting what;
    CLI::Option* flag = nullptr;
  };

  std::vector<entry> list_;
};

} // namespace callboard::cmd
