#include <callboard/actors/owned_topics.hpp>

#include <utility>

// Topics that go to another owner with everything they have, and come from one.

namespace callboard {

moved_topic owned_topics::extract(std::string_view topic) {
  return extract(topics_.find(topic));
}

moved_topic owned_topics::extract(topic_map::iterator at) {
  auto& x = at->second;
  unlist(x);
  moved_topic result;
  result.epoch = std::move(x.epoch);
  result.head = x.offset;
  result.loops = std::move(x.loops);
  kept_bytes_ -= x.kept.cost();
  result.kept = std::exchange(x.kept, {});
  result.retained = x.retained;
  forget_retained(x);
  if (x.known != nullptr)
    ids_bytes_ -= x.known->bytes;
  result.ids = std::move(x.known);
  // Not before the last value is forgotten by its name.
  result.name = std::move(topics_.extract(at).key());
  return result;
}

bool owned_topics::adopt(moved_topic x, int64_t now_ms) {
  auto* at = find_or_make(x.name, [&x] { return x.epoch; });
  if (at == nullptr)
    return false;
  at->offset = x.head;
  at->used_ms = now_ms;
  if (x.ids != nullptr) {
    at->known = std::move(x.ids);
    ids_bytes_ += at->known->bytes;
    trim_ids(*at->known);
    forget_ids(*at, now_ms);
  }
  if (at->options.retain && x.retained != nullptr)
    retain(*at, x.retained);
  if (at->options.has_history() && !x.kept.empty()) {
    change_history(*at, [&](history& kept) {
      kept = std::move(x.kept);
      kept.trim(at->options.history_size);
    });
    expire_history(*at, now_ms);
    if (!at->kept.empty())
      used(*at);
  }
  make_room();
  return true;
}

} // namespace callboard
