#include <callboard/store/store_lock.hpp>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <callboard/store/schema.hpp>

namespace callboard {

store_lock::store_lock(const std::string& folder) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  auto file = folder + '/' + store_lock_name;
  descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor_ < 0)
    throw store_error{store_trouble::unusable,
                      file + ": " + std::generic_category().message(errno)};
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0)
    return;
  ::close(descriptor_);
  throw store_error{store_trouble::locked,
                    "the store in " + folder + " is in use by another process"};
}

store_lock::~store_lock() {
  ::close(descriptor_);
}

} // namespace callboard
