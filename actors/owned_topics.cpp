#include <callboard/actors/owned_topics.hpp>

#include <algorithm>
#include <chrono>
#include <limits>

#include <caf/make_counted.hpp>

#include <callboard/messages/topic.hpp>

namespace callboard {

owned_topics::owned_topics(const limits& bounds,
                           const std::vector<topic_rule>& rules)
  : limits_{bounds}, rules_{&rules} {
}

// -- publishing ---------------------------------------------------------------

owned_topics::publish_result
owned_topics::publish(topic& at, const publication_ptr& x, int64_t now_ms) {
  if (!has_room(at, *x))
    return publish_result::full;
  if ((wait_ms_ = take_place(at, *x, now_ms)) > 0)
    return publish_result::limited;
  auto result = number(at, *x, now_ms);
  if (result == publish_result::accepted)
    keep(at, x, now_ms);
  return result;
}

bool owned_topics::has_room(const topic& at, const publication& x) const {
  // Last values never give way to others, so there must be room for a new one.
  if (!at.options.retain || !by_use_.empty() || x.payload.is_nil())
    return true;
  auto old = at.retained == nullptr ? 0 : at.retained->cost();
  return kept_bytes_ + x.cost() - old
         <= std::max(limits_.history_bytes_max, kept_bytes_);
}

owned_topics::publish_result owned_topics::number(topic& at, publication& x,
                                                  int64_t now_ms) {
  at.used_ms = now_ms;
  x.epoch = at.epoch;
  if (x.id.empty()) {
    x.offset = ++at.offset;
    return publish_result::accepted;
  }
  forget_ids(at, now_ms);
  auto key = x.id_key();
  if (at.known != nullptr)
    if (auto i = at.known->offsets.find(key); i != at.known->offsets.end()) {
      x.offset = i->second;
      return publish_result::duplicate;
    }
  x.offset = ++at.offset;
  remember_id(at, std::move(key), x.offset, now_ms + limits_.linger_ms);
  return publish_result::accepted;
}

void owned_topics::remember_id(topic& at, std::string key, uint64_t offset,
                               int64_t until_ms) {
  if (at.known == nullptr)
    at.known = std::make_unique<topic_ids>();
  auto& known = *at.known;
  ids_bytes_ -= known.bytes;
  known.add(std::move(key), offset, until_ms);
  ids_bytes_ += known.bytes;
  trim_ids(known);
}

void owned_topics::trim_ids(topic_ids& known) {
  while (known.order.size() > ids_max
         || (ids_bytes_ > limits_.ids_bytes_max && known.order.size() > 1))
    forget_oldest_id(known);
}

void owned_topics::forget_oldest_id(topic_ids& known) {
  ids_bytes_ -= known.bytes;
  known.pop();
  ids_bytes_ += known.bytes;
}

void owned_topics::keep(topic& at, const publication_ptr& x, int64_t now_ms) {
  x->retain = at.options.retain;
  if (at.options.retain)
    retain(at, x);
  if (at.options.has_history()) {
    expire_history(at, now_ms);
    change_history(at, [&](history& kept) {
      kept.add(x, at.options.history_size, now_ms);
    });
    used(at);
  }
  make_room();
}

void owned_topics::retain(topic& at, const publication_ptr& x) {
  forget_retained(at);
  if (x->payload.is_nil())
    return;
  at.retained = x;
  kept_bytes_ += x->cost();
  // The name must live as long as the topic.
  with_value_.emplace(topics_.find(x->topic)->first, &at);
}

void owned_topics::forget_retained(topic& at) {
  auto old = std::exchange(at.retained, nullptr);
  if (old == nullptr)
    return;
  kept_bytes_ -= old->cost();
  with_value_.erase(old->topic);
}

void owned_topics::expire_history(topic& at, int64_t now_ms) {
  using std::chrono::milliseconds;
  auto ttl_ms
    = std::chrono::duration_cast<milliseconds>(at.options.history_ttl).count();
  if (ttl_ms > 0)
    change_history(at, [=](history& kept) { kept.expire(now_ms - ttl_ms); });
}

void owned_topics::used(topic& at) {
  if (at.listed)
    by_use_.erase(at);
  by_use_.push_front(at);
  at.listed = true;
}

void owned_topics::unlist(topic& at) {
  if (std::exchange(at.listed, false))
    by_use_.erase(at);
}

void owned_topics::make_room() {
  while (kept_bytes_ > limits_.history_bytes_max && by_use_.last() != nullptr) {
    auto& oldest = *by_use_.last();
    if (&oldest != by_use_.first()) {
      change_history(oldest, [](history& kept) { kept = {}; });
      ++evictions_;
    } else {
      // Nobody else is left: it keeps what there is room for.
      change_history(oldest, [this](history& kept) {
        while (!kept.empty()
               && kept_bytes_ + kept.cost() > limits_.history_bytes_max)
          kept.pop();
        if (kept.empty())
          kept = {};
      });
    }
    if (oldest.kept.empty())
      unlist(oldest);
    else
      return;
  }
}

// -- reading ------------------------------------------------------------------

publication_ptr owned_topics::retained(std::string_view topic) const {
  auto i = topics_.find(topic);
  return i == topics_.end() ? nullptr : i->second.retained;
}

std::string
owned_topics::collect_retained(std::string_view pattern, std::string_view after,
                               size_t topics_max,
                               std::vector<publication_ptr>& out) const {
  // All that match begin so, and stand together.
  auto prefix = pattern.substr(0, pattern.find_first_of("+#"));
  auto i = after.empty() ? with_value_.lower_bound(prefix)
                         : with_value_.upper_bound(after);
  for (std::string_view last; i != with_value_.end(); ++i) {
    auto& [name, at] = *i;
    if (!name.starts_with(prefix))
      break;
    if (topics_max-- == 0)
      return std::string{last};
    if (matches(pattern, name))
      out.push_back(at->retained);
    last = name;
  }
  return {};
}

uint64_t owned_topics::oldest(std::string_view topic, int64_t now_ms) {
  auto i = topics_.find(topic);
  if (i == topics_.end())
    return 0;
  auto& at = i->second;
  expire_history(at, now_ms);
  return at.kept.first_offset();
}

history_slice_ptr owned_topics::read(std::string_view name, uint64_t first,
                                     size_t limit, int64_t bytes_max,
                                     int64_t now_ms) {
  auto result = caf::make_counted<history_slice>();
  result->topic = name;
  auto i = topics_.find(name);
  if (i == topics_.end())
    return result;
  auto& at = i->second;
  at.used_ms = now_ms;
  result->epoch = at.epoch;
  result->head = at.offset;
  if (!at.kept.empty()) {
    expire_history(at, now_ms);
    at.kept.copy(first, limit, bytes_max, result->events);
    used(at);
  }
  return result;
}

// -- loops --------------------------------------------------------------------

void owned_topics::attach_pattern(uint32_t loop, std::string_view pattern) {
  patterns_[pattern].set(loop, true);
}

void owned_topics::detach(uint32_t loop, std::string_view subject,
                          int64_t now_ms) {
  if (is_pattern(subject)) {
    auto& loops = patterns_[subject];
    loops.set(loop, false);
    if (loops.empty())
      patterns_.erase(subject);
  } else if (auto i = topics_.find(subject); i != topics_.end()) {
    i->second.loops.set(loop, false);
    i->second.used_ms = now_ms;
  }
}

const loop_set& owned_topics::loops_of(std::string_view name) {
  static const loop_set none;
  auto i = topics_.find(name);
  if (patterns_.size() == 0)
    return i == topics_.end() ? none : i->second.loops;
  matched_.clear();
  if (i != topics_.end())
    matched_.merge(i->second.loops);
  patterns_.match(name, [this](const loop_set& x) { matched_.merge(x); });
  return matched_;
}

bool owned_topics::has(uint32_t loop, std::string_view topic) const {
  auto i = topics_.find(topic);
  return i != topics_.end() && i->second.loops.contains(loop);
}

void owned_topics::hold(std::string_view topic, bool held) {
  if (auto i = topics_.find(topic); i != topics_.end())
    i->second.held = held;
}

bool owned_topics::keeps_history(std::string_view topic) const {
  auto i = topics_.find(topic);
  return i != topics_.end() && i->second.options.has_history();
}

bool owned_topics::expire(topic& at, int64_t now_ms) {
  forget_ids(at, now_ms);
  expire_history(at, now_ms);
  if (at.kept.empty())
    unlist(at);
  // What is on the disk need not be here.
  auto keeps = at.options.durability != durability::disk
               && (at.known != nullptr || !at.kept.empty()
                   || at.retained != nullptr);
  // Or it would have its whole burst at once.
  keeps |= at.rate != nullptr && !at.rate->full(now_ms);
  return at.loops.empty() && !at.held && !keeps
         && now_ms - at.used_ms >= limits_.linger_ms;
}

void owned_topics::forget(topic& at) {
  change_history(at, [](history& kept) { kept = {}; });
  unlist(at);
  forget_retained(at);
  forget_ids(at, std::numeric_limits<int64_t>::max());
}

void owned_topics::forget_ids(topic& at, int64_t now_ms) {
  if (at.known == nullptr)
    return;
  auto& known = *at.known;
  while (!known.order.empty() && known.order.front().expires_ms <= now_ms)
    forget_oldest_id(known);
  if (known.order.empty())
    at.known.reset();
}

} // namespace callboard
