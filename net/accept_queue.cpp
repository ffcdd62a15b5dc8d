#include <callboard/net/accept_queue.hpp>

#include <utility>

namespace callboard::net {

void accept_queue::leave(uint32_t loop) {
  places_.leave(loop);
  call_next();
}

uint64_t accept_queue::enter(uint32_t loop, std::function<void()> called) {
  uint64_t ticket = 0;
  {
    std::lock_guard lock{mutex_};
    auto& here = waiting_on_[loop];
    if (waiting_.size() >= waiting_max_ || here >= loop_waiting_max)
      return 0;
    ticket = ++last_ticket_;
    waiting_.emplace(ticket, waiter{loop, std::move(called)});
    ++here;
    size_ = waiting_.size();
  }
  // Who gave a place back may have seen nobody wait yet.
  call_next();
  return ticket;
}

bool accept_queue::forget(uint64_t ticket) {
  std::lock_guard lock{mutex_};
  auto found = waiting_.find(ticket);
  if (found == waiting_.end()) {
    granted_.erase(ticket);
    return false;
  }
  remove(found);
  return true;
}

size_t accept_queue::surplus(uint32_t loop, size_t had) {
  // First: what is taken meanwhile is on its way by then, and so too little is
  // found, never too much.
  auto taken = places_.connections(loop);
  std::lock_guard lock{mutex_};
  for (auto& [ticket, where] : granted_)
    had += where == loop ? 1 : 0;
  return taken > had ? taken - had : 0;
}

void accept_queue::call_next() {
  if (waiting_max_ == 0)
    return;
  while (auto called = take_next())
    called();
}

std::function<void()> accept_queue::take_next() {
  std::lock_guard lock{mutex_};
  auto first = waiting_.begin();
  if (first == waiting_.end() || !places_.admit(first->second.loop))
    return {};
  granted_.emplace(first->first, first->second.loop);
  auto called = std::move(first->second.called);
  remove(first);
  return called;
}

void accept_queue::remove(std::map<uint64_t, waiter>::iterator who) {
  --waiting_on_[who->second.loop];
  waiting_.erase(who);
  size_ = waiting_.size();
}

} // namespace callboard::net
