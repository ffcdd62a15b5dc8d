#include <callboard/actors/owned_topics.hpp>

#include <callboard/messages/topic.hpp>

namespace callboard {

owned_topics::owned_topics(size_t topics_max, int64_t linger_ms)
  : topics_max_{topics_max}, linger_ms_{linger_ms} {
}

owned_topics::publish_result owned_topics::publish(topic& at, publication& x,
                                                   int64_t now_ms) {
  at.used_ms = now_ms;
  x.epoch = at.epoch;
  if (x.id.empty()) {
    x.offset = ++at.offset;
    return publish_result::accepted;
  }
  forget_ids(at, now_ms);
  if (at.known == nullptr)
    at.known = std::make_unique<ids>();
  // The length tells where the name ends and the id begins.
  auto key = std::to_string(x.sender.size()) + ':' + x.sender + x.id;
  auto [i, added] = at.known->offsets.emplace(key, at.offset + 1);
  x.offset = i->second;
  if (!added)
    return publish_result::duplicate;
  ++at.offset;
  at.known->order.push_back({std::move(key), now_ms + linger_ms_});
  if (at.known->order.size() > ids_max) {
    at.known->offsets.erase(at.known->order.front().key);
    at.known->order.pop_front();
  }
  return publish_result::accepted;
}

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

void owned_topics::expire(int64_t now_ms) {
  for (auto i = topics_.begin(); i != topics_.end();) {
    auto& x = i->second;
    forget_ids(x, now_ms);
    if (x.loops.empty() && x.known == nullptr
        && now_ms - x.used_ms >= linger_ms_)
      i = topics_.erase(i);
    else
      ++i;
  }
}

void owned_topics::forget_ids(topic& at, int64_t now_ms) {
  if (at.known == nullptr)
    return;
  auto& known = *at.known;
  while (!known.order.empty() && known.order.front().expires_ms <= now_ms) {
    known.offsets.erase(known.order.front().key);
    known.order.pop_front();
  }
  if (known.order.empty())
    at.known.reset();
}

} // namespace callboard
