#include <callboard/messages/shared_bytes.hpp>

#include <atomic>
#include <cstring>
#include <new>

namespace callboard {

// The bytes follow the head in the same allocation.
struct shared_bytes::block {
  explicit block(size_t n) noexcept : size{n} {
  }

  [[nodiscard]] char* bytes() noexcept {
    return reinterpret_cast<char*>(this + 1);
  }

  std::atomic<size_t> references{1};
  size_t size;
};

shared_bytes::shared_bytes(std::string_view bytes) {
  if (bytes.empty())
    return;
  auto memory = ::operator new(sizeof(block) + bytes.size());
  block_ = new (memory) block{bytes.size()};
  std::memcpy(block_->bytes(), bytes.data(), bytes.size());
}

shared_bytes::shared_bytes(const shared_bytes& other) noexcept
  : block_{other.block_} {
  if (block_ != nullptr)
    block_->references.fetch_add(1, std::memory_order_relaxed);
}

shared_bytes::~shared_bytes() {
  if (block_ == nullptr)
    return;
  // The release makes our reads happen before the memory is given back, the
  // acquire makes those of all others do.
  if (block_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    block_->~block();
    ::operator delete(block_);
  }
}

std::string_view shared_bytes::view() const noexcept {
  return block_ != nullptr ? std::string_view{block_->bytes(), block_->size}
                           : std::string_view{};
}

} // namespace callboard
