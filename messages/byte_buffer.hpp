#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace callboard {

/// A contiguous, growable run of bytes that encoders append to. Growing never
/// zeroes memory. An empty buffer without capacity owns nothing.
class byte_buffer {
public:
  byte_buffer() noexcept = default;

  byte_buffer(byte_buffer&& other) noexcept
    : data_{std::move(other.data_)},
      size_{std::exchange(other.size_, 0)},
      capacity_{std::exchange(other.capacity_, 0)} {
  }

  byte_buffer& operator=(byte_buffer&& other) noexcept {
    data_ = std::move(other.data_);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
    return *this;
  }

  [[nodiscard]] const char* data() const noexcept {
    return data_.get();
  }

  [[nodiscard]] char* data() noexcept {
    return data_.get();
  }

  /// Returns the number of bytes appended so far.
  [[nodiscard]] size_t size() const noexcept {
    return size_;
  }

  [[nodiscard]] size_t capacity() const noexcept {
    return capacity_;
  }

  [[nodiscard]] bool empty() const noexcept {
    return size_ == 0;
  }

  [[nodiscard]] std::string_view view() const noexcept {
    return {data_.get(), size_};
  }

  /// Returns room for `n` bytes behind the last one; `commit` makes them part
  /// of the buffer. The pointer is valid until the next call that may grow.
  [[nodiscard]] char* reserve_back(size_t n) {
    if (capacity_ - size_ < n)
      grow(size_ + n);
    return data_.get() + size_;
  }

  /// Adds `n` bytes that were written to the room from `reserve_back`.
  void commit(size_t n) noexcept {
    size_ += n;
  }

  /// Appends a copy of `bytes`, which must not be part of this buffer.
  void append(std::string_view bytes) {
    if (!bytes.empty()) {
      std::memcpy(reserve_back(bytes.size()), bytes.data(), bytes.size());
      size_ += bytes.size();
    }
  }

  void push_back(char c) {
    *reserve_back(1) = c;
    ++size_;
  }

  /// Appends `n` bytes; the name that msgpack-c's packer asks for.
  void write(const char* bytes, size_t n) {
    append({bytes, n});
  }

  /// Cuts the buffer to its first `n` bytes, `n` ≤ `size()`.
  void truncate(size_t n) noexcept {
    size_ = n;
  }

  /// Forgets the content and keeps the memory.
  void clear() noexcept {
    size_ = 0;
  }

  /// Forgets the content and gives the memory back.
  void release() noexcept {
    data_.reset();
    size_ = 0;
    capacity_ = 0;
  }

private:
  void grow(size_t wanted) {
    auto capacity = capacity_ < 64 ? size_t{64} : capacity_ * 2;
    if (capacity < wanted)
      capacity = wanted;
    auto data = std::unique_ptr<char[]>{new char[capacity]};
    if (size_ > 0)
      std::memcpy(data.get(), data_.get(), size_);
    data_ = std::move(data);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> data_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

} // namespace callboard
