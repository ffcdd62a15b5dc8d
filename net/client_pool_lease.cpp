#include <callboard/net/client_pool_lease.hpp>

#include <utility>

#include <callboard/net/client_pool_core_parts.hpp>
#include <callboard/net/client_pool_error.hpp>
#include <callboard/net/log.hpp>

namespace callboard::net {

lease::lease() noexcept = default;

lease::lease(std::shared_ptr<tenure> x) noexcept : tenure_{std::move(x)} {
}

lease::lease(lease&& other) noexcept = default;

lease& lease::operator=(lease&& other) noexcept {
  if (this != &other) {
    give_back();
    tenure_ = std::move(other.tenure_);
  }
  return *this;
}

lease::~lease() {
  give_back();
}

pooled_client* lease::get() const noexcept {
  return tenure_ && tenure_->is(tenure_state::leased) ? tenure_->client.get()
                                                      : nullptr;
}

pooled_client* lease::operator->() const noexcept {
  return tenure_->client.get();
}

caf::error lease::why() const {
  if (!tenure_ || tenure_->is(tenure_state::leased))
    return {};
  if (tenure_->is(tenure_state::reclaimed))
    return to_error(pool_errc::lease_reclaimed,
                    "the lease was held too long, and its connection taken "
                    "back");
  return to_error(pool_errc::pool_closed, "the pool of the lease is closed");
}

void lease::mark_broken() noexcept {
  if (tenure_)
    tenure_->sick.store(true, std::memory_order_relaxed);
}

void lease::give_back() noexcept {
  auto x = std::move(tenure_);
  // The pool is there only for a lease that nobody has taken back.
  if (x
      && x->stage.change(x->stage.borrow(), tenure_state::leased,
                         tenure_state::returning)) {
    auto* home = x->home;
    home->take_back(std::move(x));
  }
}

void log_lease_leak(const lease_leak& x) {
  using namespace std::chrono;
  logger("net")->warn("lease_leaked pool=\"{}\" where={}:{} function=\"{}\" "
                      "taken_ms_ago={} reclaimed={}",
                      x.pool, x.file, x.line, x.function,
                      duration_cast<milliseconds>(x.held).count(), x.reclaimed);
}

} // namespace callboard::net
