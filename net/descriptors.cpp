#include <callboard/net/descriptors.hpp>

#include <algorithm>
#include <climits>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace callboard::net {

namespace {

constexpr char descriptor_folder[] = "/proc/self/fd";

std::optional<size_t> list_descriptors() {
  std::unique_ptr<DIR, int (*)(DIR*)> list{::opendir(descriptor_folder),
                                           ::closedir};
  if (list == nullptr)
    return std::nullopt;
  size_t n = 0;
  while (auto* entry = ::readdir(list.get()))
    if (entry->d_name[0] != '.')
      ++n;
  // The list's own is one of them.
  return n > 0 ? n - 1 : 0;
}

} // namespace

void reserve_descriptors(size_t n) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return;
  auto last = std::min<rlim_t>({n, limit.rlim_cur, INT_MAX});
  auto some = ::open("/", O_PATH | O_CLOEXEC);
  if (last == 0 || some < 0)
    return;
  // The table reaches up to the largest number in use, and stays so.
  auto largest = ::fcntl(some, F_DUPFD_CLOEXEC, static_cast<int>(last - 1));
  if (largest >= 0)
    ::close(largest);
  ::close(some);
}

std::optional<size_t> open_descriptors() {
  struct stat info {};
  if (::stat(descriptor_folder, &info) == 0 && info.st_size > 0)
    return static_cast<size_t>(info.st_size);
  return list_descriptors();
}

} // namespace callboard::net
