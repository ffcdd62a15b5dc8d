#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <callboard/messages/byte_buffer.hpp>

namespace callboard {

class chunk_pool;

/// A run of outgoing bytes that several outboxes of one loop may refer to.
/// Counted without atomics: a chunk never leaves its loop's thread.
struct chunk {
  explicit chunk(chunk_pool& owner) noexcept : pool{&owner} {
  }

  byte_buffer bytes;
  chunk_pool* pool;
  uint32_t references = 0;
};

/// Keeps a chunk alive.
class chunk_ptr {
public:
  chunk_ptr() noexcept = default;

  explicit chunk_ptr(chunk* x) noexcept : chunk_{x} {
    ++chunk_->references;
  }

  chunk_ptr(const chunk_ptr& other) noexcept : chunk_{other.chunk_} {
    if (chunk_ != nullptr)
      ++chunk_->references;
  }

  chunk_ptr(chunk_ptr&& other) noexcept
    : chunk_{std::exchange(other.chunk_, nullptr)} {
  }

  chunk_ptr& operator=(chunk_ptr other) noexcept {
    std::swap(chunk_, other.chunk_);
    return *this;
  }

  ~chunk_ptr();

  [[nodiscard]] bool unique() const noexcept {
    return chunk_->references == 1;
  }

  explicit operator bool() const noexcept {
    return chunk_ != nullptr;
  }

  chunk* operator->() const noexcept {
    return chunk_;
  }

  friend bool operator==(const chunk_ptr&, const chunk_ptr&) = default;

private:
  chunk* chunk_ = nullptr;
};

/// Hands out chunks and takes them back with their memory, so that a steady
/// load allocates nothing. Belongs to one loop and outlives its chunks.
class chunk_pool {
public:
  /// Chunks that are kept, and the largest capacity in bytes that one may have
  /// to be kept.
  static constexpr size_t kept_max = 256;
  static constexpr size_t kept_bytes_max = 128 * 1024;

  /// Returns an empty chunk.
  chunk_ptr take() {
    if (free_.empty())
      return chunk_ptr{new chunk{*this}};
    auto last = free_.back().release();
    free_.pop_back();
    return chunk_ptr{last};
  }

private:
  friend class chunk_ptr;

  void put_back(chunk* x) noexcept {
    std::unique_ptr<chunk> owned{x};
    x->bytes.clear();
    if (free_.size() < kept_max && x->bytes.capacity() <= kept_bytes_max)
      free_.push_back(std::move(owned));
  }

  std::vector<std::unique_ptr<chunk>> free_;
};

inline chunk_ptr::~chunk_ptr() {
  if (chunk_ != nullptr && --chunk_->references == 0)
    chunk_->pool->put_back(chunk_);
}

} // namespace callboard
