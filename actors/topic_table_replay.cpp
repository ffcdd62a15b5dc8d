#include <callboard/actors/topic_table.hpp>

#include <algorithm>
#include <limits>

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

// Chunks of one slice that are kept although nobody has them in an outbox.
constexpr size_t chunks_max = 128;

constexpr auto offset_max = std::numeric_limits<uint64_t>::max();

// What is given in one turn to all who are behind.
constexpr size_t turn_bytes = 512 * 1024;

} // namespace

const std::string& topic_table::name_of(const local_topic& topic) noexcept {
  return topic.name;
}

void topic_table::settle(local_topic& topic) {
  // Those who join leave the list.
  auto behind = topic.behind;
  for (auto& [box, x] : behind)
    settle(*x);
}

void topic_table::settle(subscription& x) {
  auto& topic = *x.topic;
  auto& state = *x.behind;
  if (!topic.ready || state.at != replay::stage::waiting
      || x.box->owner == nullptr)
    return;
  if (topic.pattern) {
    if (topic.values == nullptr)
      ask_values(topic);
    return;
  }
  auto& head = topic.position;
  if (state.since.epoch != head.epoch || state.since.offset == offset_max) {
    give_up(x);
  } else if (state.since.offset == head.offset) {
    auto told = state.answered;
    join(x);
    if (!told)
      welcome(topic, x, recovery::whole);
  } else if (!topic.fetching && !std::exchange(topic.wanting, true)) {
    // It may well be ahead of what this loop has heard of until now.
    wanting_.push_back(&topic);
  }
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
    if (state.at != replay::stage::asked || box->owner == nullptr)
      continue;
    if (!slice->epoch.empty()
        && (slice->epoch != state.since.epoch
            || slice->epoch != topic->position.epoch)) {
      // It started over in between.
      state.at = replay::stage::waiting;
    } else if (slice->epoch.empty() || state.since.offset + 1 < first
               || state.since.offset > slice->head) {
      give_up(*x);
    } else if (state.since.offset + 1 >= end && end <= slice->head) {
      // The slice was too short to reach it.
      state.at = replay::stage::waiting;
    } else {
      state.at = replay::stage::replaying;
      state.slice = slice;
      state.chunks = chunks;
      state.next = static_cast<size_t>(state.since.offset + 1 - first);
      if (!std::exchange(state.answered, true))
        box->owner->on_subscribed(x->seq_id, topic->name, &topic->position,
                                  recovery::whole, last_values::none);
      go_on(*x);
    }
  }
  settle(*topic);
}

void topic_table::advance() {
  given_bytes_ = 0;
  for (auto& box : scheduler_.take_drained()) {
    for (auto& x : box->subscriptions) {
      if (x->behind == nullptr)
        continue;
      if (x->behind->at == replay::stage::stalled && x->topic->pattern) {
        x->behind->at = replay::stage::replaying;
        go_on(*x);
      } else if (x->behind->at == replay::stage::stalled) {
        x->behind->at = replay::stage::waiting;
        settle(*x);
      } else if (x->behind->at == replay::stage::lagging) {
        catch_up(*x);
      }
    }
    if (box->owner != nullptr)
      box->owner->on_drained();
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
      state.at = replay::stage::stalled;
      // It keeps nothing alive while it waits for its reader, unless it could
      // not have it again.
      if (!x.topic->pattern) {
        state.slice = nullptr;
        state.chunks = nullptr;
      }
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
        box.owner->on_event(event, x.topic->pattern_name(),
                            state.next < state.retained);
    }
    state.since.offset = events[state.next - 1]->offset;
    return given;
  }
  auto& [bytes, end] = chunk_for(x);
  auto size = bytes->bytes.size();
  if (!state.hurried && box.queued_bytes() > 0
      && box.queued_bytes() + size > box.bytes_max() / 2)
    return 0;
  box.append(bytes);
  replayed_ += static_cast<int64_t>(end - state.next);
  state.next = end;
  state.since.offset = events[end - 1]->offset;
  // What was its own has no bytes, and is progress.
  return std::max<size_t>(size, 1);
}

const replay_chunk& topic_table::chunk_for(subscription& x) {
  auto& state = *x.behind;
  auto& events = state.slice->events;
  auto form = x.box->form();
  auto size_max = std::min(chunk_bytes, x.box->bytes_max() / 4);
  // Last values are for their publishers too.
  auto own = [&](size_t i) {
    return i >= state.retained && is_own(x, *events[i]);
  };
  auto& chunks = *state.chunks;
  auto last = std::min(events.size(), state.next + chunk_events);
  auto has_own = false;
  for (auto i = state.next; i < last; ++i)
    has_own |= own(i);
  auto& result = has_own ? chunks.own : chunks.made[{state.next, form}];
  if (!has_own && result.bytes)
    return result;
  result.bytes = scheduler_.chunks().take();
  result.end = state.next;
  auto& out = result.bytes->bytes;
  do {
    auto before = out.size();
    if (!own(result.end))
      encode(form, *events[result.end], x.topic->pattern_name(),
             result.end < state.retained, out);
    // A large event does not come behind others: an outbox may not hold both.
    if (before > 0 && out.size() > x.box->bytes_max() / 2) {
      out.truncate(before);
      break;
    }
    ++result.end;
  } while (result.end < events.size() && out.size() < size_max
           && result.end - state.next < chunk_events
           && events[result.end]->offset % chunk_events != 0);
  // Those who left off at many different places make many first chunks.
  if (chunks.made.size() > chunks_max)
    std::erase_if(chunks.made, [&](auto& y) {
      return &y.second != &result && y.second.bytes.unique();
    });
  return result;
}

void topic_table::caught_up(subscription& x) {
  auto& state = *x.behind;
  state.slice = nullptr;
  state.chunks = nullptr;
  if (x.topic->pattern) {
    state.at = replay::stage::lagging;
    catch_up(x);
  } else {
    state.at = replay::stage::waiting;
    settle(x);
  }
}

void topic_table::give_up(subscription& x) {
  auto& topic = *x.topic;
  auto told = x.behind->answered;
  auto same_epoch = x.behind->since.epoch == topic.position.epoch;
  join(x);
  if (x.box->owner == nullptr)
    return;
  if (!told)
    welcome(topic, x, recovery::lost);
  else
    x.box->owner->on_position(topic.name, &topic.position,
                              same_epoch ? "history exceeded"
                                         : "epoch changed");
}

void topic_table::join(subscription& x) {
  take_out(x);
  x.behind = nullptr;
  put_in(x);
}

} // namespace callboard
