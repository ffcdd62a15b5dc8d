#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <caf/timespan.hpp>

namespace callboard::cmd {

/// How a command ended.
struct child_result {
  enum class end {
    exited,
    killed_by_signal,
    timeout,
    too_much_output,
    stopped,
    not_started
  };

  end how = end::not_started;
  /// Exit status, signal, or errno.
  int number = 0;
  /// What it printed to standard output.
  std::string output;
  /// The last line that it printed to standard error that is not empty.
  std::string complaint;
};

/// What a command is started with.
struct child_options {
  /// Program, looked up in PATH, and its arguments.
  std::vector<std::string> words;
  /// `NAME=value`, over what this process has.
  std::vector<std::string> environment;
  /// Given to its standard input.
  std::string input;
  caf::timespan timeout = std::chrono::seconds{30};
  /// More than that on standard output ends it.
  size_t output_bytes_max = 1024 * 1024;
  /// Readable once the command is to be ended.
  int stop_fd = -1;
};

/// Runs a command and waits for its end. It gets a process group of its own,
/// which is killed with it on timeout, too much output or stop. SIGPIPE must be
/// ignored by this process; the child gets it as by default.
child_result run_child(const child_options& options);

} // namespace callboard::cmd
