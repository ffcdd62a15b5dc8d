#include <callboard/actors/cluster/topic_handover.hpp>

#include <limits>
#include <utility>

namespace callboard {

namespace {

publication_box nobodys(const publication_ptr& x) {
  // Who published has another number at every node, and is not told again.
  return {x, 0};
}

} // namespace

peer_handover topic_sender::next(uint32_t shard, int64_t now_ms) {
  peer_handover x;
  x.shard = shard;
  x.first = !std::exchange(begun_, true);
  x.topic = topic_.name;
  int64_t bytes = 0;
  if (x.first) {
    x.epoch = topic_.epoch;
    x.head = topic_.head;
    if (topic_.retained != nullptr) {
      x.retained.push_back(nobodys(topic_.retained));
      bytes += topic_.retained->cost();
    }
  }
  auto n = topic_.ids == nullptr ? 0 : topic_.ids->order.size();
  for (; ids_ < n && bytes < frame_bytes; ++ids_) {
    auto& id = topic_.ids->order[ids_];
    auto offset = topic_.ids->offsets.find(*id.key)->second;
    bytes += static_cast<int64_t>(sizeof(handed_id) + id.key->size());
    x.ids.push_back({*id.key, offset, id.expires_ms - now_ms});
  }
  for (; events_ < topic_.kept.size() && bytes < frame_bytes; ++events_) {
    auto& kept = topic_.kept.at(events_);
    bytes += kept.event->cost();
    x.events.push_back({nobodys(kept.event), now_ms - kept.added_ms});
  }
  x.last = done_ = ids_ == n && events_ == topic_.kept.size();
  return x;
}

std::optional<moved_topic> topic_receiver::take(peer_handover& x,
                                                int64_t now_ms) {
  if (x.first) {
    topic_.emplace();
    topic_->name = std::move(x.topic);
    topic_->epoch = std::move(x.epoch);
    topic_->head = x.head;
    if (!x.retained.empty())
      topic_->retained = unboxed(x.retained[0]);
  } else if (!topic_ || topic_->name != x.topic) {
    topic_.reset();
    return std::nullopt;
  }
  for (auto& id : x.ids) {
    if (topic_->ids == nullptr)
      topic_->ids = std::make_unique<topic_ids>();
    topic_->ids->add(std::move(id.key), id.offset, now_ms + id.rest_ms);
  }
  for (auto& event : x.events) {
    auto what = unboxed(event.what);
    // One copy for both.
    if (auto& last = topic_->retained;
        last != nullptr && last->offset == what->offset)
      what = last;
    topic_->kept.add(std::move(what), std::numeric_limits<size_t>::max(),
                     now_ms - event.age_ms);
  }
  return x.last ? std::exchange(topic_, std::nullopt) : std::nullopt;
}

} // namespace callboard
