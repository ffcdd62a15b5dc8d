#include <callboard/actors/topic_table.hpp>

#include <callboard/actors/topic_table_parts.hpp>

// How subscribers are told that they may have missed something. Those of a
// topic are told where it stands; a pattern stands nowhere.

namespace callboard {

void topic_table::tell_position(local_topic& topic, std::string_view reason) {
  drop_held(topic);
  topic.for_each([&](subscription& x) {
    x.box->owner->on_position(topic.name, &topic.position, reason);
  });
}

void topic_table::lose_until_attached(std::string_view pattern) {
  // Else it has no subscribers who were answered.
  if (auto* x = find(pattern); x != nullptr && x->ready)
    x->loses = true;
}

void topic_table::tell_lost(local_topic& pattern) {
  if (!pattern.ready)
    return;
  share_out(pattern);
  pattern.for_each([](subscription& x) { tell_gap(x); });
  // Those who get last values yet are told behind these.
  for (auto& [box, x] : pattern.behind)
    if (auto* late = x->behind->late.get())
      late->gap_after = true;
  // What was collected for the others may be older than what is lost.
  begin_round_again(pattern);
}

void topic_table::tell_gap(subscription& x) {
  x.box->owner->on_position(x.topic->name, nullptr, events_lost);
}

} // namespace callboard
