#include <callboard/net/client_pool.hpp>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include <callboard/net/client_pool_core_parts.hpp>

namespace callboard::net {

namespace {

// Where a blocked borrower and who answers it meet.
struct meeting {
  std::mutex mutex;
  std::condition_variable told;
  std::optional<caf::expected<lease>> answer;
};

} // namespace

client_pool::client_pool(client_pool_options options, client_factory make,
                         client_pool_surroundings around)
  : core_{std::make_shared<client_pool_core>(
    std::move(options), std::move(make), std::move(around))} {
}

client_pool::~client_pool() {
  core_->close();
}

caf::expected<lease> client_pool::try_borrow(call_site where) {
  return core_->try_borrow(where);
}

caf::expected<lease> client_pool::borrow_idle(call_site where) {
  return core_->borrow_idle(where);
}

caf::expected<lease> client_pool::borrow(call_site where) {
  return borrow(core_->options().wait_max, where);
}

caf::expected<lease> client_pool::borrow(caf::timespan wait, call_site where) {
  auto here = std::make_shared<meeting>();
  auto number = core_->borrow_later(
    wait,
    [here](caf::expected<lease> x) {
      std::lock_guard guard{here->mutex};
      here->answer.emplace(std::move(x));
      here->told.notify_one();
    },
    where);
  std::unique_lock guard{here->mutex};
  auto answered = [&here] { return here->answer.has_value(); };
  if (!here->told.wait_for(guard, wait, answered)) {
    guard.unlock();
    if (core_->cancel(number))
      return core_->exhausted();
    guard.lock();
    here->told.wait(guard, answered);
  }
  return std::move(*here->answer);
}

void client_pool::borrow_later(caf::timespan wait, lease_handler done,
                               call_site where) {
  core_->borrow_later(wait, std::move(done), where);
}

void client_pool::tick() {
  core_->tick();
}

void client_pool::close() {
  core_->close();
}

client_pool_stats client_pool::stats() const {
  return core_->stats();
}

} // namespace callboard::net
