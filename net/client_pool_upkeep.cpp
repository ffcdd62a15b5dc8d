#include <callboard/net/client_pool_upkeep.hpp>

#include <utility>

namespace callboard::net {

client_pool_upkeep::client_pool_upkeep(std::function<void()> tick,
                                       caf::timespan interval)
  : tick_{std::move(tick)}, interval_{interval}, thread_{[this] { run(); }} {
}

client_pool_upkeep::~client_pool_upkeep() {
  {
    std::lock_guard guard{mutex_};
    stopped_ = true;
  }
  stopping_.notify_one();
  thread_.join();
}

void client_pool_upkeep::run() {
  std::unique_lock guard{mutex_};
  while (!stopped_) {
    guard.unlock();
    tick_();
    guard.lock();
    stopping_.wait_for(guard, interval_, [this] { return stopped_; });
  }
}

} // namespace callboard::net
