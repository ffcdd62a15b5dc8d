#include "process_probe.hpp"

#include <cstdlib>
#include <fstream>

#include <cerrno>
#include <sched.h>
#include <signal.h>
#include <time.h>

namespace callboard::cmd::bench {

bool process_probe::exists() const {
  return pid_ > 0 && (kill(pid_, 0) == 0 || errno == EPERM);
}

int64_t process_probe::cpu_ns() const {
  clockid_t clock{};
  timespec result{};
  if (pid_ <= 0 || clock_getcpuclockid(pid_, &clock) != 0
      || clock_gettime(clock, &result) != 0)
    return 0;
  return int64_t{result.tv_sec} * 1'000'000'000 + result.tv_nsec;
}

uint64_t process_probe::resident_bytes() const {
  if (pid_ <= 0)
    return 0;
  // The kernel counts a status lazily, and a rollup when it is read.
  auto exact = kibibytes("smaps_rollup", "Rss:");
  return 1024 * (exact != 0 ? exact : kibibytes("status", "VmRSS:"));
}

uint32_t process_probe::cores() const {
  cpu_set_t cpus;
  if (pid_ <= 0 || sched_getaffinity(pid_, sizeof(cpus), &cpus) != 0)
    return 0;
  return static_cast<uint32_t>(CPU_COUNT(&cpus));
}

uint64_t process_probe::kibibytes(const char* file,
                                  const std::string& key) const {
  std::ifstream in{"/proc/" + std::to_string(pid_) + "/" + file};
  for (std::string line; std::getline(in, line);)
    if (line.compare(0, key.size(), key) == 0)
      return std::strtoull(line.c_str() + key.size(), nullptr, 10);
  return 0;
}

} // namespace callboard::cmd::bench
