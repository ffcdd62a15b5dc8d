#include <callboard/actors/shared_group.hpp>

#include <algorithm>
#include <utility>

// Groups that go to another owner with what is not finished. Members keep what
// they have: each claims it at the next owner by the number of the delivery.
// Until everybody had time to do so, it is nobody's and is given to nobody.

namespace callboard {

moved_group shared_group::give_away() {
  moved_group result{name_, taken_, touched_, proven_, {}};
  result.events.reserve(entries_.size());
  for (auto& [offset, x] : entries_) {
    cancel_deadline(x);
    result.events.push_back({std::move(x.event), x.attempts, x.number});
  }
  shared_.events -= entries_.size();
  shared_.bytes -= std::exchange(bytes_, 0);
  entries_.clear();
  return result;
}

void shared_group::adopt(const moved_group& from) {
  touched_ = from.touched;
  proven_ = from.proven;
  for (auto& y : from.events) {
    auto offset = y.what->offset;
    if (offset > taken_ || entries_.contains(offset))
      continue;
    auto& x = add(y.what);
    x.attempts = y.attempts;
    // Only the first one of its key can be with somebody.
    if (y.delivery != 0 && is_first(offset, x))
      x.number = y.delivery;
    else
      wait(offset, x);
  }
}

void shared_group::detach(group_member& who) {
  auto gone = take_out(who);
  for (auto& [number, slot] : gone->given) {
    if (slot.stale)
      continue;
    auto& x = entries_.find(slot.offset)->second;
    cancel_deadline(x);
    x.with = nullptr;
  }
}

bool shared_group::claim(group_member& who, uint64_t number, uint64_t offset,
                         int64_t now_ms) {
  // Those to come have others.
  shared_.last_number = std::max(shared_.last_number, number);
  auto i = entries_.find(offset);
  auto is_there = i != entries_.end() && i->second.number == number
                  && is_unclaimed(i->second);
  // What an actor was sent lies in its mailbox, whosever it is by now.
  if (!is_there && !who.embedded)
    return false;
  auto bytes = is_there ? i->second.event->cost() : 0;
  change(who, [&] {
    who.given.emplace(number, group_member::slot{offset, bytes, !is_there});
    who.bytes += bytes;
    who.chosen = ++choices_;
  });
  if (!is_there)
    return true;
  i->second.with = &who;
  start_deadline(offset, i->second, now_ms);
  return true;
}

void shared_group::confirm_unclaimed(uint64_t number, uint64_t offset) {
  auto i = entries_.find(offset);
  if (i == entries_.end() || i->second.number != number
      || !is_unclaimed(i->second))
    return;
  ++shared_.counts.confirmations;
  proven_ = true;
  finish(offset);
}

void shared_group::let_go() {
  for (auto& [offset, x] : entries_)
    if (is_unclaimed(x))
      put_back(offset, x, 0);
}

} // namespace callboard
