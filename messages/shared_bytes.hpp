#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <caf/sec.hpp>

namespace callboard {

/// An immutable run of bytes, shared by reference counting in one allocation.
/// Copies are cheap and may live on different threads. The zero value is empty
/// and owns nothing.
class shared_bytes {
public:
  shared_bytes() noexcept = default;

  /// Copies `bytes`; an empty view makes the zero value.
  explicit shared_bytes(std::string_view bytes);

  shared_bytes(const shared_bytes& other) noexcept;

  shared_bytes(shared_bytes&& other) noexcept
    : block_{std::exchange(other.block_, nullptr)} {
  }

  shared_bytes& operator=(shared_bytes other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }

  ~shared_bytes();

  [[nodiscard]] std::string_view view() const noexcept;

  [[nodiscard]] size_t size() const noexcept {
    return view().size();
  }

  [[nodiscard]] bool empty() const noexcept {
    return block_ == nullptr;
  }

  friend bool operator==(const shared_bytes& x,
                         const shared_bytes& y) noexcept {
    return x.view() == y.view();
  }

  /// Lets CAF send the bytes to another node.
  template <class Inspector>
  friend bool inspect(Inspector& f, shared_bytes& x) {
    if constexpr (!Inspector::is_loading) {
      return f.value(x.view());
    } else if constexpr (requires { f.remainder(); }) {
      // From where they lie, with no string in between.
      size_t size = 0;
      if (!f.begin_sequence(size))
        return false;
      if (size > f.remaining()) {
        f.emplace_error(caf::sec::end_of_stream);
        return false;
      }
      auto* first = reinterpret_cast<const char*>(f.current());
      x = shared_bytes{std::string_view{first, size}};
      f.skip(size);
      return f.end_sequence();
    } else {
      std::string bytes;
      if (!f.value(bytes))
        return false;
      x = shared_bytes{bytes};
      return true;
    }
  }

private:
  struct block;

  block* block_ = nullptr;
};

} // namespace callboard
