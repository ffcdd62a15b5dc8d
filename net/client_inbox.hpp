#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <utility>

#include <caf/error.hpp>
#include <caf/expected.hpp>

namespace callboard::net {

/// What arrived and was not taken yet, and who waits for more; one of the two
/// is always empty. Bounded. Belongs to one thread.
template <class T>
class client_inbox {
public:
  using receiver = std::function<void(caf::expected<T>)>;

  /// @param size_max how much may wait, at least 1.
  explicit client_inbox(size_t size_max) : size_max_{size_max} {
  }

  /// Gives `x` to who has waited for longest, or keeps it.
  /// @returns how many of what arrived first gave way, 0 or 1.
  size_t push(T x) {
    if (closed_)
      return 0;
    if (!receivers_.empty()) {
      auto f = std::move(receivers_.front().second);
      receivers_.pop_front();
      f(std::move(x));
      return 0;
    }
    items_.push_back(std::move(x));
    if (items_.size() <= size_max_)
      return 0;
    items_.pop_front();
    return 1;
  }

  /// Returns what arrived first; null if there is nothing.
  T* front() noexcept {
    return items_.empty() ? nullptr : &items_.front();
  }

  [[nodiscard]] size_t size() const noexcept {
    return items_.size();
  }

  /// Calls `f` with what arrived first, now or when something arrives; with an
  /// error once it is closed and empty.
  /// @returns the wait's number, 0 if there is none.
  uint64_t receive(receiver f) {
    if (!items_.empty()) {
      auto x = std::move(items_.front());
      items_.pop_front();
      f(std::move(x));
      return 0;
    }
    if (closed_) {
      f(closed_);
      return 0;
    }
    receivers_.emplace_back(++last_wait_, std::move(f));
    return last_wait_;
  }

  /// Ends a wait without a word; does nothing where it is over.
  void forget(uint64_t wait) {
    for (auto i = receivers_.begin(); i != receivers_.end(); ++i) {
      if (i->first != wait)
        continue;
      receivers_.erase(i);
      return;
    }
  }

  /// Ends all waits without a word.
  void forget_all() {
    std::exchange(receivers_, {});
  }

  /// Takes nothing more, and fails who waits; what arrived can be received.
  /// @param why an error; later ones do not count.
  void close(const caf::error& why) {
    if (closed_)
      return;
    closed_ = why;
    for (auto& [wait, f] : std::exchange(receivers_, {}))
      f(why);
  }

private:
  size_t size_max_;
  std::deque<T> items_;
  std::deque<std::pair<uint64_t, receiver>> receivers_;
  uint64_t last_wait_ = 0;
  caf::error closed_;
};

} // namespace callboard::net
