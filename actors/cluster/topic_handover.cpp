#include <callboard/actors/cluster/topic_handover.hpp>

#include <iterator>
#include <limits>
#include <utility>

namespace callboard {

namespace {

publication_box nobodys(const publication_ptr& x) {
  // Who published has another number at every node, and is not told again.
  return {x, 0};
}

int64_t handed_bytes(const moved_room::member& x) noexcept {
  return static_cast<int64_t>(sizeof(x) + x.user.size()
                              + x.connections.size()
                                  * sizeof(moved_room::connection));
}

// Returns the event with this offset, or null.
publication_ptr find_in(const history& from, uint64_t offset) {
  auto first = from.first_offset();
  if (offset < first || offset - first >= from.size())
    return nullptr;
  return from.at(offset - first).event;
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
    x.nodes = topic_.room.nodes;
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
  auto& members = topic_.room.members;
  for (; members_ < members.size() && bytes < frame_bytes; ++members_) {
    bytes += handed_bytes(members[members_]);
    x.members.push_back(members[members_]);
  }
  // They refer to the events of the history.
  if (events_ == topic_.kept.size())
    add_groups(x, bytes);
  x.last = done_ = ids_ == n && events_ == topic_.kept.size()
                   && members_ == members.size()
                   && groups_ == topic_.groups.size();
  return x;
}

void topic_sender::add_groups(peer_handover& to, int64_t bytes) {
  while (groups_ < topic_.groups.size() && bytes < frame_bytes) {
    auto& group = topic_.groups[groups_];
    auto& part = to.groups.emplace_back(
      handed_group{group.name, group.taken, group.touched, group.proven, {}});
    bytes += static_cast<int64_t>(sizeof(handed_group) + group.name.size());
    for (; group_events_ < group.events.size() && bytes < frame_bytes;
         ++group_events_) {
      auto& from = group.events[group_events_];
      auto offset = from.what->offset;
      auto& event = part.events.emplace_back(
        handed_group_event{offset, from.attempts, from.delivery, {}});
      bytes += static_cast<int64_t>(sizeof(handed_group_event));
      if (find_in(topic_.kept, offset) == nullptr
          && sent_.insert(offset).second) {
        event.what.push_back(nobodys(from.what));
        bytes += from.what->cost();
      }
    }
    if (group_events_ < group.events.size())
      return;
    group_events_ = 0;
    ++groups_;
  }
}

std::optional<moved_topic> topic_receiver::take(peer_handover& x,
                                                int64_t now_ms) {
  if (x.first) {
    topic_.emplace();
    others_.clear();
    topic_->name = std::move(x.topic);
    topic_->epoch = std::move(x.epoch);
    topic_->head = x.head;
    topic_->room.nodes = std::move(x.nodes);
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
  auto& members = topic_->room.members;
  members.insert(members.end(), std::make_move_iterator(x.members.begin()),
                 std::make_move_iterator(x.members.end()));
  for (auto& group : x.groups)
    take(group);
  if (!x.last)
    return std::nullopt;
  others_.clear();
  return std::exchange(topic_, std::nullopt);
}

void topic_receiver::take(handed_group& x) {
  auto& groups = topic_->groups;
  if (groups.empty() || groups.back().name != x.name)
    groups.push_back({std::move(x.name), x.taken, x.touched, x.proven, {}});
  for (auto& from : x.events) {
    if (!from.what.empty())
      others_[from.offset] = unboxed(from.what[0]);
    auto what = find_in(topic_->kept, from.offset);
    if (auto i = others_.find(from.offset);
        what == nullptr && i != others_.end())
      what = i->second;
    if (what != nullptr)
      groups.back().events.push_back(
        {std::move(what), from.attempts, from.delivery});
  }
}

} // namespace callboard
