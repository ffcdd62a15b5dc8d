#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include <callboard/actors/inventory.hpp>

namespace callboard {

/// Finds the first topics behind a name among many that come in no order. It
/// keeps no more than a page of them. Pure.
class topic_search {
public:
  explicit topic_search(topic_query what);

  /// Returns whether a topic with this name is wanted, as far as it is known
  /// now.
  [[nodiscard]] bool wants(std::string_view name) const;

  /// Takes a topic that is wanted; the last one gives way to it.
  void add(topic_facts x);

  /// Forgets what was found.
  void clear() noexcept {
    found_.clear();
  }

  /// Returns what was found. Nothing is left.
  topic_page take();

  /// How far whoever looks has come; its own.
  size_t next = 0;
  size_t end = 0;

private:
  topic_query what_;
  // One more than a page has, which tells that there is another page.
  std::map<std::string, topic_facts, std::less<>> found_;
};

} // namespace callboard
