#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include <callboard/actors/handles.hpp>
#include <callboard/actors/messages.hpp>

namespace callboard {

/// Counts the bytes that are on their way to one actor, so that senders stop
/// before its mailbox grows without bound. Any thread. It belongs to one life
/// of the actor: what dies with a mailbox is not charged to the next one.
class mailbox_bytes {
public:
  void add(int64_t n) noexcept {
    count_.fetch_add(n, std::memory_order_relaxed);
  }

  void remove(int64_t n) noexcept {
    count_.fetch_sub(n, std::memory_order_relaxed);
  }

  [[nodiscard]] int64_t count() const noexcept {
    return count_.load(std::memory_order_relaxed);
  }

  [[nodiscard]] bool exceeds(size_t max) const noexcept {
    return count() > static_cast<int64_t>(max);
  }

private:
  std::atomic<int64_t> count_ = 0;
};

using mailbox_bytes_ptr = std::shared_ptr<mailbox_bytes>;

/// Counts `n` bytes in `where` until the last copy of the result is gone.
inline credit_token charge(const mailbox_bytes_ptr& where, int64_t n) {
  where->add(n);
  return credit_token{nullptr, [n, where](void*) { where->remove(n); }};
}

/// A shard as the loops know it.
template <class Handle>
struct shard_ref {
  Handle actor;
  /// What waits for it; null where there is no shard yet.
  mailbox_bytes_ptr waiting;

  explicit operator bool() const noexcept {
    return waiting != nullptr;
  }
};

using broker_ref = shard_ref<broker_actor>;
using router_ref = shard_ref<router_actor>;

} // namespace callboard
