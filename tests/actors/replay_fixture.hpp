#pragma once

#include <deque>
#include <string>
#include <vector>

#include "actors/topic_table_fixture.hpp"

namespace callboard {

/// Plays the owner of the topic `a` too.
struct replay_fixture : topic_table_fixture {
  replay_fixture() {
    ready("a");
  }

  topic_table::subscribe_result come_back(scribe& who, uint64_t offset,
                                          const std::string& epoch = "e",
                                          bool takes_bytes = true) {
    topic_position since{epoch, offset};
    return table.subscribe(*who.box, "a", 1, takes_bytes, &since);
  }

  void publish(size_t n = 1, const std::string& content = {}) {
    for (size_t i = 0; i < n; ++i) {
      auto event = make_event("a", ++head, "e", content);
      kept.push_back(event);
      if (kept.size() > size_max)
        kept.pop_front();
      table.deliver(event);
    }
  }

  /// What the owner answers if it is asked from `first` on.
  history_slice_ptr slice(uint64_t first) const {
    auto result = caf::make_counted<history_slice>();
    result->topic = "a";
    result->epoch = "e";
    result->head = head;
    for (auto& x : kept)
      if (x->offset >= first && result->events.size() < slice_max)
        result->events.push_back(x);
    return result;
  }

  std::vector<uint64_t> asked() {
    std::vector<uint64_t> result;
    table.take_wanted(
      [&](const std::string&, uint64_t first) { result.push_back(first); });
    return result;
  }

  /// Answers all that is asked until nobody is behind.
  void settle() {
    do {
      table.flush();
      table.advance();
      for (auto first : asked())
        table.fetched(slice(first));
    } while (table.advancing());
    table.flush();
  }

  static std::string events(uint64_t first, uint64_t last) {
    std::string result;
    for (auto i = first; i <= last; ++i)
      result += (result.empty() ? "a@" : "; a@") + std::to_string(i);
    return result;
  }

  size_t size_max = 1000;
  size_t slice_max = 1000;
  uint64_t head = 0;
  std::deque<publication_ptr> kept;
};

} // namespace callboard
