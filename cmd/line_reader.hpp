#pragma once

#include <cstddef>
#include <string>

namespace callboard::cmd {

/// Reads a file descriptor line by line, and can be woken from another thread.
class line_reader {
public:
  enum class result { line, end, too_long, failed };

  /// @param line_bytes_max longest line, without its newline.
  line_reader(int fd, size_t line_bytes_max);

  line_reader(const line_reader&) = delete;

  line_reader& operator=(const line_reader&) = delete;

  ~line_reader();

  /// Waits for the next line; a last one without a newline counts. A line that
  /// is too long is skipped to its end.
  result next(std::string& line);

  /// Makes `next` return `end` from now on. May be called from any thread.
  void stop();

private:
  // Reads more to `buffer_`; false at the end.
  bool fill();

  int fd_;
  int stop_fd_;
  size_t line_bytes_max_;
  std::string buffer_;
  // Begin of what is not returned yet, and up to where it has no newline.
  size_t begin_ = 0;
  size_t searched_ = 0;
  bool at_end_ = false;
  bool failed_ = false;
};

} // namespace callboard::cmd
