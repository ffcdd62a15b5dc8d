#include <callboard/actors/topic_table.hpp>

#include <algorithm>

#include <callboard/actors/topic_table_parts.hpp>

// How those who come back get what they missed. While a subscription is behind
// it is not among its topic's receivers. The owner is asked for what is
// missing; its answer takes its place among the events, so whoever has all of
// it as long as the topic has not moved on has everything, and joins the
// receivers.

namespace callboard {

namespace {

// What one chunk holds at most, but for the last event in it. A chunk ends
// where the offset is a multiple of the number of events, so that those who
// left off at different places soon share chunks.
constexpr uint64_t chunk_events = 64;
constexpr size_t chunk_bytes = 64 * 1024;

// What is given in one turn to all who are behind.
constexpr size_t turn_bytes = 512 * 1024;

} // namespace

const std::string& topic_table::name_of(const local_topic& topic) noexcept {
  return topic.name;
}

void topic_table::settle(local_topic& topic) {
  if (!topic.ready)
    return;
  auto wanted = false;
  auto behind = topic.behind;
  for (auto& [box, x] : behind) {
    auto& state = *x->behind;
    if (state.at != replay::stage::waiting || box->owner == nullptr)
      continue;
    auto& head = topic.position;
    auto same = state.since.epoch == head.epoch;
    if (same && state.since.offset < head.offset) {
      wanted = true;
    } else if (same && state.since.offset == head.offset) {
      auto told = state.answered;
      join(*x);
      if (!told)
        welcome(topic, *x, recovery::whole);
    } else {
      give_up(*x);
    }
  }
  if (wanted && !topic.fetching && !std::exchange(topic.wanting, true))
    wanting_.push_back(&topic);
}

uint64_t topic_table::want(local_topic& topic) {
  topic.wanting = false;
  uint64_t first = 0;
  for (auto& [box, x] : topic.behind) {
    auto& state = *x->behind;
    if (state.at != replay::stage::waiting)
      continue;
    state.at = replay::stage::asked;
    auto missed = state.since.offset + 1;
    first = first == 0 ? missed : std::min(first, missed);
  }
  topic.fetching = first != 0;
  return first;
}

void topic_table::fetched(const history_slice_ptr& slice) {
  auto* topic = find(slice->topic);
  if (topic == nullptr || !topic->ready || !topic->fetching)
    return;
  topic->fetching = false;
  auto& events = slice->events;
  auto first = events.empty() ? slice->head + 1 : events.front()->offset;
  auto end = first + events.size();
  auto chunks = std::make_shared<replay_chunks>();
  auto behind = topic->behind;
  for (auto& [box, x] : behind) {
    auto& state = *x->behind;
    if (state.at != replay::stage::asked)
      continue;
    if (slice->epoch != state.since.epoch
        || slice->epoch != topic->position.epoch) {
      // It started over in between.
      state.at = replay::stage::waiting;
    } else if (state.since.offset + 1 < first) {
      give_up(*x);
    } else if (state.since.offset + 1 >= end && end <= slice->head) {
      // The slice was too short to reach it.
      state.at = replay::stage::waiting;
    } else {
      state.at = replay::stage::replaying;
      state.slice = slice;
      state.chunks = chunks;
      state.next = static_cast<size_t>(state.since.offset + 1 - first);
      if (!std::exchange(state.answered, true) && box->owner != nullptr)
        box->owner->on_subscribed(x->seq_id, topic->name, &topic->position,
                                  recovery::whole);
      go_on(*x);
    }
  }
  settle(*topic);
}

void topic_table::advance() {
  given_bytes_ = 0;
  for (auto& box : scheduler_.take_drained())
    for (auto& x : box->subscriptions)
      if (x->behind != nullptr && x->behind->at == replay::stage::stalled) {
        x->behind->at = replay::stage::waiting;
        settle(*x->topic);
      }
  // Each gets one chunk, and who has more to get stands at the end again.
  auto n = replaying_.size();
  for (size_t i = 0; i < n && given_bytes_ < turn_bytes; ++i) {
    auto* x = replaying_.front();
    replaying_.pop_front();
    go_on(*x);
  }
}

void topic_table::go_on(subscription& x) {
  auto& state = *x.behind;
  if (state.next < state.slice->events.size()) {
    if (given_bytes_ >= turn_bytes) {
      replaying_.push_back(&x);
      return;
    }
    auto given = give_chunk(x);
    if (given == 0) {
      // It keeps nothing alive while it waits for its reader.
      state.at = replay::stage::stalled;
      state.slice = nullptr;
      state.chunks = nullptr;
      x.box->tell_when_drained();
      return;
    }
    given_bytes_ += given;
  }
  if (state.next < state.slice->events.size())
    replaying_.push_back(&x);
  else
    caught_up(x);
}

size_t topic_table::give_chunk(subscription& x) {
  auto& state = *x.behind;
  auto& events = state.slice->events;
  auto& box = *x.box;
  if (!x.takes_bytes) {
    size_t given = 1;
    for (; state.next < events.size() && given < chunk_bytes; ++state.next) {
      auto& event = *events[state.next];
      given += static_cast<size_t>(event.cost());
      if (box.owner != nullptr)
        box.owner->on_event(event, {}, false);
    }
    state.since.offset = events[state.next - 1]->offset;
    return given;
  }
  auto& [bytes, end] = state.chunks->made[{state.next, box.form()}];
  if (!bytes) {
    bytes = scheduler_.chunks().take();
    auto size_max = std::min(chunk_bytes, box.bytes_max() / 4);
    end = state.next;
    do
      encode(box.form(), *events[end++], {}, false, bytes->bytes);
    while (end < events.size() && bytes->bytes.size() < size_max
           && events[end]->offset % chunk_events != 0);
  }
  auto size = bytes->bytes.size();
  if (box.queued_bytes() > 0 && box.queued_bytes() + size > box.bytes_max() / 2)
    return 0;
  box.append(bytes);
  replayed_ += end - state.next;
  state.next = end;
  state.since.offset = events[end - 1]->offset;
  return size;
}

void topic_table::caught_up(subscription& x) {
  auto& topic = *x.topic;
  auto& state = *x.behind;
  state.slice = nullptr;
  state.chunks = nullptr;
  state.at = replay::stage::waiting;
  settle(topic);
}

void topic_table::give_up(subscription& x) {
  auto& topic = *x.topic;
  auto told = x.behind->answered;
  join(x);
  if (!told)
    welcome(topic, x, recovery::lost);
  else if (x.box->owner != nullptr)
    x.box->owner->on_position(topic.name, topic.position, "history exceeded");
}

void topic_table::join(subscription& x) {
  // What is encoded and not shared out is part of what it has.
  share_out(*x.topic);
  take_out(x);
  std::erase(replaying_, &x);
  x.behind = nullptr;
  put_in(x);
}

} // namespace callboard
