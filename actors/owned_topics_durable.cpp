#include <callboard/actors/owned_topics.hpp>

#include <algorithm>
#include <limits>

// Topics that a store keeps beyond the process.

namespace callboard {

const topic_options*
owned_topics::options_if_known(std::string_view topic) const {
  auto i = topics_.find(topic);
  return i == topics_.end() ? nullptr : &i->second.options;
}

bool owned_topics::restore(std::string_view name, const stored_topic& from,
                           const topic_options& options, int64_t now_ms,
                           int64_t unix_ms) {
  auto* at = find_or_make(name, [&from] { return from.epoch; });
  if (at == nullptr)
    return false;
  at->options = options;
  at->epoch = from.epoch;
  at->offset = from.head;
  at->used_ms = now_ms;
  for (auto& x : from.ids)
    // A clock that was wrong does not make an id count for longer.
    remember_id(*at, x.key, x.offset,
                now_ms + std::min(x.until_ms - unix_ms, limits_.linger_ms));
  if (at->options.retain && from.newest != nullptr) {
    from.newest->retain = true;
    retain(*at, from.newest);
  }
  return true;
}

bool owned_topics::has_room(std::string_view topic,
                            const publication& x) const {
  auto i = topics_.find(topic);
  return i != topics_.end() && has_room(i->second, x);
}

bool owned_topics::find_duplicate(publication& x, int64_t now_ms) {
  auto i = topics_.find(x.topic);
  if (i == topics_.end() || x.id.empty())
    return false;
  auto& at = i->second;
  forget_ids(at, now_ms);
  if (at.known == nullptr)
    return false;
  auto found = at.known->offsets.find(x.id_key());
  if (found == at.known->offsets.end())
    return false;
  x.epoch = at.epoch;
  x.offset = found->second;
  return true;
}

void owned_topics::accept(const publication_ptr& x, int64_t now_ms) {
  auto i = topics_.find(x->topic);
  if (i == topics_.end())
    return;
  auto& at = i->second;
  at.used_ms = now_ms;
  at.offset = x->offset;
  if (!x->id.empty())
    remember_id(at, x->id_key(), x->offset, now_ms + limits_.linger_ms);
  keep(at, x, now_ms);
}

saved_topic owned_topics::leave(std::string_view name, uint64_t stored,
                                int64_t now_ms, int64_t unix_ms) const {
  saved_topic result;
  result.topic = name;
  auto i = topics_.find(name);
  if (i == topics_.end())
    return result;
  auto& at = i->second;
  result.epoch = at.epoch;
  result.head = at.offset;
  result.options = at.options;
  auto first = at.kept.first_offset();
  at.kept.copy(first <= stored + 1 ? stored + 1 : first, at.kept.size(),
               std::numeric_limits<int64_t>::max(), result.events);
  if (at.kept.empty() && at.retained != nullptr
      && at.retained->offset == at.offset && stored < at.offset)
    result.events.push_back(at.retained);
  if (at.known == nullptr)
    return result;
  for (auto& x : at.known->order)
    if (!x.key->starts_with(publication::connection_mark))
      result.ids.push_back({*x.key, at.known->offsets.find(*x.key)->second,
                            x.expires_ms - now_ms + unix_ms});
  return result;
}

void owned_topics::drop(std::string_view topic) {
  auto i = topics_.find(topic);
  if (i == topics_.end())
    return;
  forget(i->second);
  if (i->second.rate != nullptr && rates_.size() < limits_.topics_max)
    rates_.insert_or_assign(i->first, std::move(i->second.rate));
  topics_.erase(i);
}

} // namespace callboard
