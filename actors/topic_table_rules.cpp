#include <callboard/actors/topic_table.hpp>

#include <callboard/actors/topic_table_parts.hpp>

// What is subscribed goes by other rules.

namespace callboard {

void topic_table::set_rules(const std::vector<topic_rule>& rules) noexcept {
  rules_ = &rules;
  topics_lap_ = patterns_lap_ = {0, 0, false};
}

bool topic_table::revise(size_t work, int64_t unix_ms) {
  revised_ms_ = unix_ms;
  revise(topics_, topics_lap_, work);
  revise(patterns_, patterns_lap_, work);
  return topics_lap_.done && patterns_lap_.done;
}

void topic_table::revise(topic_map& map, lap& at, size_t& work) {
  if (at.done)
    return;
  // They stand elsewhere when the map has grown, and are looked at again.
  if (at.buckets != map.bucket_count())
    at = {0, map.bucket_count(), false};
  for (; at.next < at.buckets && work > 0; ++at.next, --work)
    for (auto i = map.begin(at.next); i != map.end(at.next); ++i) {
      revise(*i->second);
      if (work > 1)
        --work;
    }
  at.done = at.next >= at.buckets;
}

void topic_table::revise(local_topic& topic) {
  if (topic.pattern) {
    topic.retains = may_retain(*rules_, topic.name);
    return;
  }
  auto& now = options_of(*rules_, topic.name);
  topic.retain = now.retain;
  if (!now.retain)
    topic.retained = nullptr;
  if (now.overflow != topic.overflow)
    change_overflow(topic, now.overflow);
  if (now.presence == topic.presence)
    return;
  if (topic.presence)
    end_presence(topic);
  topic.presence = now.presence;
  tell_presence_again(topic.name);
}

void topic_table::change_overflow(local_topic& topic, overflow_policy x) {
  // What is encoded was published under the old policy.
  share_out(topic);
  auto behind = topic.behind;
  for (auto& [box, held] : behind) {
    if (held->behind->late == nullptr)
      continue;
    auto& late = *held->behind->late;
    // It would not be offered what comes: it gets what is left, or is cut off.
    if (x == overflow_policy::disconnect)
      give_rest(*held);
    // Another policy may put what comes behind the gap that is told in front.
    else if (late.gap_after && !late.held.empty())
      drop_held(late, topic.overflow);
  }
  topic.overflow = x;
}

void topic_table::end_presence(local_topic& topic) {
  presence_frames_ += reset_presence(topic.name, revised_ms_);
  auto leave = [this](std::vector<local_topic::receiver>& list) {
    for (auto& x : list) {
      leave_presence(*x.held);
      x.held->watcher_index = subscription::not_watching;
    }
  };
  for (auto& form : topic.forms)
    leave(form.list);
  leave(topic.actors);
  leave(topic.behind);
}

} // namespace callboard
