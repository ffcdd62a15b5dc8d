#include "terminal.hpp"

#include <csignal>
#include <cstdio>
#include <string>

#include <sys/ioctl.h>
#include <unistd.h>

namespace callboard::cmd {

namespace {

// Sequences of ECMA-48, and the private modes that xterm has made common.
constexpr char enter[] = "\x1b[?1049h\x1b[?25l";
constexpr char leave[] = "\x1b[?25h\x1b[?1049l";
constexpr char home[] = "\x1b[H";
constexpr char clear_line[] = "\x1b[K\n";
constexpr char clear_below[] = "\x1b[J";

constexpr int end_signals[] = {SIGINT, SIGTERM, SIGHUP};

// Calls nothing that a signal may not.
extern "C" void leave_and_end(int) {
  [[maybe_unused]] auto written = write(STDOUT_FILENO, leave,
                                        sizeof(leave) - 1);
  _exit(0);
}

void print(std::string_view text) {
  fwrite(text.data(), 1, text.size(), stdout);
  fflush(stdout);
}

} // namespace

bool has_terminal() noexcept {
  return isatty(STDOUT_FILENO) != 0;
}

full_screen::full_screen() {
  for (auto x : end_signals)
    std::signal(x, leave_and_end);
  print(enter);
}

full_screen::~full_screen() {
  print(leave);
  for (auto x : end_signals)
    std::signal(x, SIG_DFL);
}

size_t full_screen::lines() noexcept {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0)
    return 24;
  return size.ws_row;
}

void full_screen::show(std::string_view text) {
  std::string result = home;
  for (auto c : text)
    if (c == '\n')
      result += clear_line;
    else
      result += c;
  result += clear_below;
  print(result);
}

} // namespace callboard::cmd
