#pragma once

#include <utility>

#include <unistd.h>

namespace callboard::net {

/// A listening socket that no listener has yet.
class bound_socket {
public:
  explicit bound_socket(int descriptor) : descriptor_{descriptor} {
  }

  bound_socket(const bound_socket&) = delete;

  bound_socket& operator=(const bound_socket&) = delete;

  ~bound_socket() {
    if (descriptor_ >= 0)
      ::close(descriptor_);
  }

  [[nodiscard]] int get() const noexcept {
    return descriptor_;
  }

  int release() noexcept {
    return std::exchange(descriptor_, -1);
  }

private:
  int descriptor_;
};

} // namespace callboard::net
