#include <callboard/net/accept_queue.hpp>

#include <utility>

namespace callboard::net {

void accept_queue::leave(uint32_t loop) {
  places_.leave(loop);
  if (waiting_max_ == 0)
    return;
  // More than one may be free: who gave it back saw nobody wait yet.
  while (auto called = take_next())
    called();
}

uint64_t accept_queue::enter(uint32_t loop, std::function<void()> called) {
  uint64_t ticket = 0;
  {
    std::lock_guard lock{mutex_};
    auto free = waiting_.empty() && places_.admit(loop);
    if (!free && waiting_.size() >= waiting_max_)
      return 0;
    ticket = ++last_ticket_;
    if (!free) {
      waiting_.emplace(ticket, waiter{loop, std::move(called)});
      size_ = waiting_.size();
      return ticket;
    }
  }
  called();
  return ticket;
}

bool accept_queue::forget(uint64_t ticket) {
  std::lock_guard lock{mutex_};
  auto found = waiting_.erase(ticket) > 0;
  size_ = waiting_.size();
  return found;
}

std::function<void()> accept_queue::take_next() {
  std::lock_guard lock{mutex_};
  auto first = waiting_.begin();
  if (first == waiting_.end() || !places_.admit(first->second.loop))
    return {};
  auto called = std::move(first->second.called);
  waiting_.erase(first);
  size_ = waiting_.size();
  return called;
}

} // namespace callboard::net
