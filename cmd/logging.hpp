#pragma once

#include <string>

#include <spdlog/formatter.h>

namespace callboard::cmd {

/// Sends the logs of all layers to standard error, from a thread of its own,
/// so that a reader of ours who stalls stalls no loop: beyond 8,192 lines that
/// wait, the oldest are lost.
/// @param level debug, info, warn, error or off.
/// @param format text or json.
void set_up_logging(const std::string& level, const std::string& format);

/// Logs from this level on. Any thread.
void set_log_level(const std::string& level);

/// Returns from which level on, as `set_log_level` takes it. Any thread.
std::string get_log_level();

/// Writes what waits, and ends the thread.
void flush_logging();

/// Formats a line as `TIME LEVEL LAYER event key=value …`, control characters
/// escaped.
class text_formatter : public spdlog::formatter {
public:
  void format(const spdlog::details::log_msg& x,
              spdlog::memory_buf_t& out) override;

  std::unique_ptr<spdlog::formatter> clone() const override;
};

/// Formats a line as one JSON object: `time`, `level`, `layer`, `event`, and a
/// member for each `key=value`: numbers as numbers, the rest as strings.
class json_formatter : public spdlog::formatter {
public:
  void format(const spdlog::details::log_msg& x,
              spdlog::memory_buf_t& out) override;

  std::unique_ptr<spdlog::formatter> clone() const override;
};

} // namespace callboard::cmd
