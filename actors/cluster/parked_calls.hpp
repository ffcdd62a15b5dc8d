#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <callboard/messages/errc.hpp>

namespace callboard {

/// What waits until its topic's owner can take it, in order and bounded.
class parked_calls {
public:
  /// Does what was asked for, with `none`, or refuses it.
  using call = std::function<void(errc)>;

  struct bounds {
    size_t calls_max = 16'384;
    int64_t bytes_max = 16 * 1024 * 1024;
  };

  /// Of a call that nothing but its execution ends.
  static constexpr auto untagged = ~uint32_t{0};

  parked_calls() = default;

  explicit parked_calls(const bounds& x) noexcept : bounds_{x} {
  }

  /// Lets a call wait, or refuses it as `overloaded`.
  /// @param slot the node that it comes from.
  /// @param bytes what it takes in memory.
  /// @param tag for `cancel`.
  void add(uint32_t slot, std::string_view topic, int64_t bytes, call x,
           uint32_t tag = untagged);

  /// The same before all that were added by `add`, behind those that were added
  /// by this.
  void add_returned(uint32_t slot, std::string_view topic, int64_t bytes,
                    call x);

  /// Returns whether `add` lets a call wait.
  [[nodiscard]] bool has_room(int64_t bytes) const noexcept {
    return size() < bounds_.calls_max && bytes_ + bytes <= bounds_.bytes_max;
  }

  /// Returns whether it does and leaves half of the room to other calls.
  [[nodiscard]] bool has_half(int64_t bytes) const noexcept {
    return size() < bounds_.calls_max / 2
           && bytes_ + bytes <= bounds_.bytes_max / 2;
  }

  [[nodiscard]] size_t size() const noexcept {
    return returned_.size() + added_.size();
  }

  /// Takes out those for which `is_meant(slot, topic)` and makes them, or
  /// refuses them.
  template <class F>
  void make(errc why, F&& is_meant) {
    auto taken = take(is_meant);
    for (auto& x : taken)
      x.what(why);
  }

  void make_all(errc why) {
    make(why, [](uint32_t, const std::string&) { return true; });
  }

  /// Forgets those of a node for which `is_meant(topic)`.
  template <class F>
  void drop(uint32_t slot, F&& is_meant) {
    take([&](uint32_t from, const std::string& topic) {
      return from == slot && is_meant(topic);
    });
  }

  /// Forgets those with this topic and tag.
  void cancel(std::string_view topic, uint32_t tag);

private:
  struct entry {
    uint32_t slot;
    uint32_t tag;
    std::string topic;
    int64_t bytes;
    call what;
  };

  template <class F>
  std::vector<entry> take(F&& is_meant) {
    std::vector<entry> result;
    for (auto* from : {&returned_, &added_})
      for (auto& x : std::exchange(*from, {}))
        if (is_meant(x.slot, x.topic)) {
          bytes_ -= x.bytes;
          result.push_back(std::move(x));
        } else {
          from->push_back(std::move(x));
        }
    return result;
  }

  void add_to(std::deque<entry>& to, entry x);

  bounds bounds_;
  std::deque<entry> returned_;
  std::deque<entry> added_;
  int64_t bytes_ = 0;
};

} // namespace callboard
