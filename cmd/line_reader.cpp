#include "line_reader.hpp"

#include <cerrno>
#include <system_error>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace callboard::cmd {

namespace {

constexpr size_t read_bytes = 64 * 1024;

} // namespace

line_reader::line_reader(int fd, size_t line_bytes_max)
  : fd_{fd},
    stop_fd_{eventfd(0, EFD_CLOEXEC)},
    line_bytes_max_{line_bytes_max} {
  if (stop_fd_ < 0)
    throw std::system_error{errno, std::generic_category(), "eventfd"};
}

line_reader::~line_reader() {
  close(stop_fd_);
}

line_reader::result line_reader::next(std::string& line) {
  bool too_long = false;
  for (;;) {
    auto end = buffer_.find('\n', searched_);
    if (end == std::string::npos && at_end_) {
      if (failed_)
        return result::failed;
      if (begin_ == buffer_.size() && !too_long)
        return result::end;
      end = buffer_.size();
    }
    if (end != std::string::npos) {
      line.assign(buffer_, begin_, end - begin_);
      begin_ = searched_ = std::min(end + 1, buffer_.size());
      return too_long || line.size() > line_bytes_max_ ? result::too_long
                                                       : result::line;
    }
    searched_ = buffer_.size();
    if (searched_ - begin_ > line_bytes_max_) {
      too_long = true;
      begin_ = searched_;
    }
    buffer_.erase(0, begin_);
    searched_ -= begin_;
    begin_ = 0;
    at_end_ = !fill();
  }
}

void line_reader::stop() {
  eventfd_write(stop_fd_, 1);
}

bool line_reader::fill() {
  pollfd fds[] = {{fd_, POLLIN, 0}, {stop_fd_, POLLIN, 0}};
  while (poll(fds, 2, -1) < 0)
    if (errno != EINTR)
      return false;
  if (fds[1].revents != 0) {
    buffer_.clear();
    begin_ = searched_ = 0;
    return false;
  }
  auto size = buffer_.size();
  buffer_.resize(size + read_bytes);
  auto n = read(fd_, buffer_.data() + size, read_bytes);
  failed_ = n < 0;
  buffer_.resize(size + (n > 0 ? static_cast<size_t>(n) : 0));
  return n > 0;
}

} // namespace callboard::cmd
