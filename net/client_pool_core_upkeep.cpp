#include <utility>

#include <caf/sec.hpp>

#include <callboard/net/client_pool_core_parts.hpp>

namespace callboard::net {

void client_pool_core::tick() {
  effects out;
  {
    std::lock_guard guard{mutex_};
    if (closed_)
      return;
    auto now = look_at_clock();
    give_up_openings(now, out);
    check_pings(now);
    watch_leases(now, out);
    expire_waiters(now, out);
    follow_load(now);
    sweep(now, out);
    settle_waiters(now, out);
    refill(now, out);
    if (metrics_)
      metrics_->show(stats_now());
  }
  run(out);
}

void client_pool_core::give_up_openings(time_point now, effects& out) {
  for (auto& place : slots_) {
    auto x = place.owner;
    if (!x || !x->is(tenure_state::opening))
      continue;
    // It may be broken before it can say so.
    if (x->client->state() == pooled_state::broken)
      failed_to_open(x, x->client->failure(), now, out);
    else if (now - x->opened_at >= options_.open_timeout)
      failed_to_open(x,
                     caf::make_error(caf::sec::connection_timeout,
                                     "the connection was not ready in time"),
                     now, out);
  }
}

// -- what is unused -----------------------------------------------------------

void client_pool_core::sweep(time_point now, effects& out) {
  // Who finds nothing meanwhile waits for the lock, and looks again.
  auto idle = take_idle(now, out);
  trim(idle, now, out);
  for (auto& x : idle) {
    ping_if_due(slots_[x.index].held, now, out);
    x.stack->push(links_, x.index);
  }
}

std::vector<client_pool_core::found> client_pool_core::take_idle(time_point now,
                                                                 effects& out) {
  std::vector<found> result;
  for (auto& stack : stacks_) {
    auto indices = stack.take_all(links_);
    std::reverse(indices.begin(), indices.end());
    for (auto index : indices) {
      if (verdict(*slots_[index].held, now))
        retire_unfit(std::move(slots_[index].held), out);
      else
        result.push_back({&stack, index});
    }
  }
  return result;
}

std::optional<close_cause> client_pool_core::verdict(const tenure& x,
                                                     time_point now) const {
  if (x.sick.load(std::memory_order_relaxed)
      || x.client->state() != pooled_state::ready)
    return close_cause::broken;
  if (now >= x.expires_at && x.client->in_flight() == 0)
    return close_cause::lifetime;
  return std::nullopt;
}

void client_pool_core::trim(std::vector<found>& idle, time_point now,
                            effects& out) {
  std::vector<uint32_t> oldest;
  for (auto& x : idle)
    oldest.push_back(x.index);
  std::stable_sort(oldest.begin(), oldest.end(), [this](auto x, auto y) {
    return slots_[x].held->idle_since < slots_[y].held->idle_since;
  });
  auto left = idle.size();
  auto wanted = sizer_ ? sizer_->size() : size_t{0};
  for (auto index : oldest) {
    auto& held = slots_[index].held;
    auto total = slots_.size() - free_.size();
    auto spare = left > options_.idle_min && total > wanted;
    auto surplus = left > options_.idle_max || (sizer_ && spare);
    auto unused = options_.idle_time.count() > 0 && spare
                  && now - held->idle_since >= options_.idle_time;
    if ((!surplus && !unused) || held->client->in_flight() > 0)
      continue;
    auto x = std::move(held);
    retire(x, surplus ? close_cause::surplus : close_cause::idle, out);
    --left;
  }
  std::erase_if(idle, [this](const found& x) { return !slots_[x.index].held; });
}

// -- pings --------------------------------------------------------------------

void client_pool_core::ping_if_due(const tenure_ptr& x, time_point now,
                                   effects& out) {
  if (options_.ping_interval.count() <= 0 || x->ping_deadline
      || now < x->next_ping)
    return;
  x->ping_deadline = now + options_.ping_timeout;
  x->next_ping = now + options_.ping_interval;
  out.pings.push_back({x, ++x->pings});
}

void client_pool_core::pinged(const tenure_ptr& x, uint64_t number,
                              bool alive) {
  std::lock_guard guard{mutex_};
  if (x->pings != number || !x->ping_deadline)
    return;
  x->ping_deadline.reset();
  if (alive)
    return;
  ++counts_.ping_failures;
  x->sick.store(true, std::memory_order_relaxed);
}

void client_pool_core::check_pings(time_point now) {
  for (auto& place : slots_) {
    auto& x = place.owner;
    if (!x || !x->ping_deadline || now < *x->ping_deadline)
      continue;
    x->ping_deadline.reset();
    ++counts_.ping_failures;
    x->sick.store(true, std::memory_order_relaxed);
  }
}

// -- leases -------------------------------------------------------------------

void client_pool_core::watch_leases(time_point now, effects& out) {
  if (options_.lease_max.count() <= 0)
    return;
  for (auto& place : slots_) {
    auto x = place.owner;
    if (!x || !x->is(tenure_state::leased))
      continue;
    auto borrow = x->record.read();
    if (!borrow || borrow->count == x->reported)
      continue;
    time_point taken_at{std::chrono::nanoseconds{borrow->taken_ns}};
    if (now - taken_at <= options_.lease_max)
      continue;
    x->reported = borrow->count;
    auto reclaimed = options_.reclaim
                     && disown(x, borrow->count, tenure_state::reclaimed, out);
    ++counts_.leaks;
    if (reclaimed)
      ++counts_.closed[static_cast<size_t>(close_cause::reclaimed)];
    out.leaks.push_back({options_.name, borrow->file, borrow->function,
                         borrow->line, taken_at, now - taken_at, reclaimed});
  }
}

// -- size ---------------------------------------------------------------------

void client_pool_core::follow_load(time_point now) {
  if (sizer_)
    sizer_->measure(borrows(), count(tenure_state::leased) + waiters_.size(),
                    now);
}

void client_pool_core::refill(time_point now, effects& out) {
  auto ready = count(tenure_state::idle);
  auto wanted = sizer_ ? sizer_->size() : size_t{0};
  auto coming = opening_ > waiters_.size() ? opening_ - waiters_.size() : 0;
  auto short_of = [&] {
    return ready + coming < options_.idle_min
           || slots_.size() - free_.size() < wanted;
  };
  while (opening_ < options_.openings_max && short_of() && open_one(now, out))
    ++coming;
}

} // namespace callboard::net
