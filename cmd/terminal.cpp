#include "terminal.hpp"

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

void print(std::string_view text) {
  fwrite(text.data(), 1, text.size(), stdout);
  fflush(stdout);
}

} // namespace

bool has_terminal() noexcept {
  return isatty(STDOUT_FILENO) != 0;
}

full_screen::full_screen() {
  print(enter);
}

full_screen::~full_screen() {
  print(leave);
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
