#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <callboard/actors/string_hash.hpp>

namespace callboard {

/// Finds the patterns that match a topic in time that depends on the topic's
/// segments, not on the number of patterns. Patterns are well-formed.
/// @tparam T what is kept for a pattern; its zero value stands for nothing.
template <class T>
class pattern_tree {
public:
  /// Returns the value of `pattern`, made on first use. The reference is valid
  /// until `erase`.
  T& operator[](std::string_view pattern) {
    auto* at = &root_;
    for_each_segment(pattern, [&at](std::string_view segment) {
      auto i = at->next.find(segment);
      if (i == at->next.end())
        i = at->next.emplace(segment, std::make_unique<node>()).first;
      at = i->second.get();
      return true;
    });
    if (!at->used) {
      at->used = true;
      ++size_;
    }
    return at->value;
  }

  /// Removes `pattern`; does nothing if it is not there.
  void erase(std::string_view pattern) {
    erase_below(root_, pattern);
  }

  /// Calls `f(value)` for every pattern that matches the well-formed `topic`.
  template <class F>
  void match(std::string_view topic, F&& f) const {
    if (size_ > 0)
      match_below(root_, topic, true, f);
  }

  [[nodiscard]] size_t size() const noexcept {
    return size_;
  }

private:
  struct node {
    std::unordered_map<std::string, std::unique_ptr<node>, string_hash,
                       std::equal_to<>>
      next;
    T value = {};
    bool used = false;
  };

  static std::pair<std::string_view, std::string_view>
  split(std::string_view x) noexcept {
    auto slash = x.find('/');
    if (slash == std::string_view::npos)
      return {x, {}};
    return {x.substr(0, slash), x.substr(slash + 1)};
  }

  template <class F>
  static void for_each_segment(std::string_view x, F&& f) {
    while (!x.empty()) {
      auto [segment, rest] = split(x);
      f(segment);
      x = rest;
    }
  }

  // Depth is bounded by a subject's 255 bytes, so by 128 segments, and three in
  // front of where a tenant's dead letters go.
  template <class F>
  static void
  match_below(const node& at, std::string_view topic, bool first, F& f) {
    if (topic.empty()) {
      if (at.used)
        f(at.value);
      return;
    }
    auto [segment, rest] = split(topic);
    if (auto i = at.next.find(segment); i != at.next.end())
      match_below(*i->second, rest, false, f);
    if (first && segment.front() == '$')
      return;
    if (auto i = at.next.find(std::string_view{"+"}); i != at.next.end())
      match_below(*i->second, rest, false, f);
    if (auto i = at.next.find(std::string_view{"#"}); i != at.next.end())
      if (i->second->used)
        f(i->second->value);
  }

  // Returns whether nothing is left at and below `at`.
  bool erase_below(node& at, std::string_view pattern) {
    if (pattern.empty()) {
      if (at.used) {
        at.used = false;
        at.value = T{};
        --size_;
      }
    } else {
      auto [segment, rest] = split(pattern);
      auto i = at.next.find(segment);
      if (i != at.next.end() && erase_below(*i->second, rest))
        at.next.erase(i);
    }
    return !at.used && at.next.empty();
  }

  node root_;
  size_t size_ = 0;
};

} // namespace callboard
