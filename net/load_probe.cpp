#include <callboard/net/load_probe.hpp>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

namespace callboard::net {

namespace {

// Returns the processor time that this thread has used, in microseconds.
int64_t thread_cpu_us() noexcept {
  timespec x{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &x);
  return int64_t{x.tv_sec} * 1'000'000 + x.tv_nsec / 1000;
}

} // namespace

// The second number there, in pages.
size_t resident_bytes() noexcept {
  auto file = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return 0;
  char buffer[128];
  auto n = ::read(file, buffer, sizeof(buffer));
  ::close(file);
  std::string_view text{buffer, static_cast<size_t>(std::max<ssize_t>(n, 0))};
  text.remove_prefix(std::min(text.find(' '), text.size()));
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  size_t pages = 0;
  std::from_chars(text.data(), text.data() + text.size(), pages);
  return pages * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

void return_free_memory() noexcept {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

void load_probe::update(int64_t now_ms, bool with_memory) {
  auto elapsed_ms = now_ms - looked_ms_;
  if (elapsed_ms < look_ms)
    return;
  auto first = std::exchange(looked_ms_, now_ms) == 0;
  auto cpu_us = thread_cpu_us();
  auto used_ms = static_cast<double>(cpu_us - std::exchange(cpu_us_, cpu_us))
                 / 1000;
  if (!first)
    cpu_share_ = std::clamp(used_ms / static_cast<double>(elapsed_ms), 0.0,
                            1.0);
  if (with_memory)
    memory_bytes_ = resident_bytes();
}

} // namespace callboard::net
