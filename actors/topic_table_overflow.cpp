#include <callboard/actors/topic_table.hpp>

#include <callboard/actors/topic_table_parts.hpp>

// Subscribers that read too slowly, where the topic's policy is to drop. Such a
// one lags: it is not among its topic's receivers, and what comes is held for
// it, by reference, as the policy says. When its outbox has drained it gets
// what is held, is told where there is a gap, and joins the receivers again.

namespace callboard {

namespace {

// Held events are encoded in pieces of about this size.
constexpr size_t piece_bytes = 64 * 1024;

constexpr std::string_view dropped = "events dropped";

size_t index_of(overflow_policy x) noexcept {
  return static_cast<size_t>(x);
}

} // namespace

void topic_table::hold(local_topic& topic, const publication_ptr& event) {
  for (auto& [box, x] : topic.behind)
    if (x->behind->late != nullptr)
      offer(*x, event);
  topic.fresh.push_back(event);
}

void topic_table::offer(subscription& x, const publication_ptr& event) {
  if (is_own(x, *event))
    return;
  auto& late = *x.behind->late;
  auto drop_front = [&] {
    late.drop_front();
    late.gap_before = true;
    ++drops_[index_of(x.topic->overflow)];
  };
  switch (x.topic->overflow) {
    case overflow_policy::drop_newest:
      break;
    case overflow_policy::latest:
      while (!late.held.empty())
        drop_front();
      [[fallthrough]];
    default:
      while (!late.held.empty() && !late.has_room(*event))
        drop_front();
      // What comes now is behind that gap.
      late.gap_before |= std::exchange(late.gap_after, false);
  }
  // Behind a gap nothing more, or there would be two. And what other topics
  // have held for this reader may leave no room at all.
  if (!late.gap_after && late.has_room(*event)) {
    late.add(event);
  } else {
    late.gap_after = true;
    ++drops_[index_of(x.topic->overflow)];
  }
}

void topic_table::lag(subscription& x) {
  auto& topic = *x.topic;
  take_out(x);
  x.behind.reset(new replay{});
  x.behind->at = replay::stage::lagging;
  x.behind->answered = true;
  x.behind->late = std::make_unique<backlog>(*x.box);
  put_in(x);
  x.box->tell_when_drained();
  for (auto& event : topic.fresh) {
    // It counted as delivered, and counts again when it is given.
    if (!is_own(x, *event))
      --replayed_;
    offer(x, event);
  }
}

void topic_table::catch_up(subscription& x) {
  auto& topic = *x.topic;
  auto& box = *x.box;
  if (box.owner == nullptr)
    return;
  auto& late = *x.behind->late;
  auto& held = late.held;
  for (; !x.takes_bytes && !held.empty(); late.drop_front())
    box.owner->on_event(*held.front(), topic.pattern_name(), false);
  while (!held.empty()) {
    auto piece = scheduler_.chunks().take();
    size_t n = 0;
    for (; n < held.size() && piece->bytes.size() < piece_bytes; ++n) {
      auto before = piece->bytes.size();
      encode(box.form(), *held[n], topic.pattern_name(), false, piece->bytes);
      // A large event does not come behind others: an outbox may not hold both.
      if (n > 0 && piece->bytes.size() > box.bytes_max() / 2) {
        piece->bytes.truncate(before);
        break;
      }
    }
    if (!x.behind->hurried && !box.has_room(piece->bytes.size())) {
      box.tell_when_drained();
      return;
    }
    auto& first = *held.front();
    if (std::exchange(late.gap_before, false)) {
      topic_position last{first.epoch, first.offset - 1};
      box.owner->on_position(topic.name, &last, dropped);
    }
    box.append(piece);
    replayed_ += static_cast<int64_t>(n);
    for (; n > 0; --n)
      late.drop_front();
  }
  auto gap = late.gap_before || late.gap_after;
  join(x);
  if (gap && topic.pattern)
    tell_gap(x);
  else if (gap)
    box.owner->on_position(topic.name, &topic.position, dropped);
}

void topic_table::drop_held(local_topic& topic) {
  for (auto& [box, x] : topic.behind) {
    if (x->behind->late != nullptr)
      drop_held(*x->behind->late, topic.overflow);
  }
}

void topic_table::drop_held(backlog& late, overflow_policy policy) {
  drops_[index_of(policy)] += late.held.size();
  late.clear();
  late.gap_after = true;
}

} // namespace callboard
