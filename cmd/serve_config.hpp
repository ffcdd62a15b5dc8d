#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "serve_options.hpp"
#include "settings.hpp"

namespace callboard::cmd {

/// Where the options of `callboard serve` come from: the config file, the
/// environment and the flags. They can be read as often as one likes, each time
/// from what the file is by then.
class serve_config {
public:
  serve_config();

  // Settings hold references to the options.
  serve_config(const serve_config&) = delete;

  serve_config& operator=(const serve_config&) = delete;

  /// Adds the flags to a command.
  void add_to(CLI::App& command);

  /// Reads and checks everything. What is wrong is thrown as CLI11's
  /// `ValidationError`, which names the place, the value and what would be
  /// right.
  serve_options read();

  /// Does the same with a text in place of the config file.
  /// @param file its name, for messages.
  serve_options read_text(std::string_view text, const std::string& file);

private:
  // Applies everything but the config file's lines, and checks it all.
  serve_options complete(const std::vector<config_section>& sections,
                         const std::string& file);

  // Returns the config file's name; empty: there is none.
  [[nodiscard]] std::string file() const;

  serve_options options_;
  std::string file_flag_;
  settings table_;
};

} // namespace callboard::cmd
