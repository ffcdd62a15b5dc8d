#include <utility>

#include <callboard/net/client_error.hpp>
#include <callboard/net/client_pool_core_parts.hpp>

namespace callboard::net {

namespace {

// Whether another try can come to something else.
bool is_final(const caf::error& why) {
  auto what = details(why);
  return what.code != 0 && !what.temporary;
}

} // namespace

// -- borrowers that wait ------------------------------------------------------

uint64_t client_pool_core::borrow_later(caf::timespan wait, lease_handler done,
                                        const call_site& where) {
  effects out;
  uint64_t number = 0;
  {
    std::lock_guard guard{mutex_};
    auto now = look_at_clock();
    // One that another has just found unfit may be theirs to replace.
    if (!waiters_.empty())
      settle_waiters(now, out);
    auto answer_now = [&](caf::expected<lease> x) {
      out.answers.push_back({std::move(done), std::move(x)});
    };
    if (closed_) {
      answer_now(to_error(pool_errc::pool_closed, "the pool is closed"));
    } else if (auto index = waiters_.empty() ? pop_fit(out) : std::nullopt) {
      answer_now(lend(*index, where));
    } else if (wait.count() <= 0) {
      if (opening_ == 0)
        open_one(now, out);
      answer_now(refuse(now));
    } else if (waiters_.size() >= options_.waiters_max) {
      answer_now(refuse(now));
    } else {
      number = ++last_number_;
      add_waiter({number, now, now + wait, where, std::move(done)}, now, out);
    }
  }
  run(out);
  return number;
}

void client_pool_core::add_waiter(waiter x, time_point now, effects& out) {
  ++counts_.waits;
  waiters_.push_back(std::move(x));
  set_waiting();
  settle_waiters(now, out);
}

void client_pool_core::set_waiting() noexcept {
  waiting_.store(waiters_.size(), std::memory_order_seq_cst);
}

bool client_pool_core::cancel(uint64_t number) {
  // What the handler holds ends without the lock.
  lease_handler dropped;
  std::lock_guard guard{mutex_};
  auto i = std::find_if(waiters_.begin(), waiters_.end(),
                        [number](auto& x) { return x.number == number; });
  if (i == waiters_.end())
    return false;
  dropped = std::move(i->done);
  waiters_.erase(i);
  set_waiting();
  ++counts_.exhausted;
  return true;
}

void client_pool_core::serve(time_point now, effects& out) {
  while (!waiters_.empty()) {
    auto index = pop_fit(out);
    if (!index)
      return;
    auto x = std::move(waiters_.front());
    waiters_.pop_front();
    set_waiting();
    if (metrics_)
      metrics_->waited(now - x.since);
    out.answers.push_back({std::move(x.done), lend(*index, x.where)});
  }
}

void client_pool_core::settle_waiters(time_point now, effects& out) {
  serve(now, out);
  while (opening_ < waiters_.size() && open_one(now, out))
    ;
  while (!waiters_.empty() && is_unavailable(now)) {
    auto x = std::move(waiters_.front());
    waiters_.pop_front();
    out.answers.push_back({std::move(x.done), refuse(now)});
  }
  set_waiting();
}

void client_pool_core::fail_waiters(const caf::error& why, effects& out) {
  for (auto& x : waiters_)
    out.answers.push_back({std::move(x.done), why});
  waiters_.clear();
  set_waiting();
}

void client_pool_core::expire_waiters(time_point now, effects& out) {
  std::deque<waiter> kept;
  for (auto& x : waiters_) {
    if (now < x.deadline) {
      kept.push_back(std::move(x));
      continue;
    }
    ++counts_.exhausted;
    out.answers.push_back({std::move(x.done), exhausted_now()});
  }
  waiters_ = std::move(kept);
  set_waiting();
}

bool client_pool_core::is_unavailable(time_point now) {
  return free_.size() == slots_.size() && circuit_.wait(now).count() > 0;
}

caf::error client_pool_core::refuse(time_point now) {
  if (!is_unavailable(now)) {
    ++counts_.exhausted;
    return exhausted_now();
  }
  ++counts_.unavailable;
  return to_error(pool_errc::target_unavailable,
                  "no connection could be opened of late: "
                    + details(failure_).sentence,
                  circuit_.wait(now));
}

caf::error client_pool_core::exhausted_now() const {
  if (closed_)
    return to_error(pool_errc::pool_closed, "the pool is closed");
  std::string sentence = "no connection came free in time";
  if (failure_)
    sentence += "; the last one that was opened: " + details(failure_).sentence;
  return to_error(pool_errc::pool_exhausted, std::move(sentence));
}

caf::error client_pool_core::exhausted() const {
  std::lock_guard guard{mutex_};
  return exhausted_now();
}

// -- connections that open ----------------------------------------------------

bool client_pool_core::open_one(time_point now, effects& out) {
  if (closed_ || free_.empty() || circuit_.wait(now).count() > 0)
    return false;
  auto round = circuit_.begin();
  auto client = make_();
  if (!client) {
    ++counts_.open_failures;
    count_try(round, false, caf::timespan{0}, now, out);
    return false;
  }
  auto x = std::make_shared<tenure>();
  x->home = this;
  x->index = free_.back();
  x->client = std::move(client);
  x->opened_at = now;
  x->circuit_round = round;
  if (options_.lifetime.count() > 0) {
    auto cut = options_.lifetime_jitter * around_.random();
    auto whole = std::chrono::duration<double>(options_.lifetime);
    x->expires_at
      = now + std::chrono::duration_cast<caf::timespan>(whole * (1 - cut));
  }
  free_.pop_back();
  slots_[x->index].owner = x;
  ++opening_;
  out.openings.push_back(std::move(x));
  return true;
}

void client_pool_core::changed(const tenure_ptr& x) {
  effects out;
  {
    std::lock_guard guard{mutex_};
    if (!x->is(tenure_state::opening))
      return;
    auto now = look_at_clock();
    auto state = x->client->state();
    if (state == pooled_state::opening)
      return;
    if (state == pooled_state::ready)
      became_ready(x, now, out);
    else
      failed_to_open(x, x->client->failure(), now, out);
    settle_waiters(now, out);
    refill(now, out);
  }
  run(out);
}

void client_pool_core::became_ready(const tenure_ptr& x, time_point now,
                                    effects& out) {
  --opening_;
  ++counts_.opened;
  failure_ = {};
  x->next_ping = now + options_.ping_interval;
  count_try(x->circuit_round, true, now - x->opened_at, now, out);
  push(x);
}

void client_pool_core::failed_to_open(const tenure_ptr& x, caf::error why,
                                      time_point now, effects& out) {
  --opening_;
  ++counts_.open_failures;
  failure_ = std::move(why);
  count_try(x->circuit_round, false, now - x->opened_at, now, out);
  vacate(x, tenure_state::gone, out);
  if (is_final(failure_))
    fail_waiters(failure_, out);
}

void client_pool_core::lost_early(const tenure_ptr& x, effects& out) {
  failure_ = x->client->failure();
  count_try(x->circuit_round, false, caf::timespan{0}, coarse_now(), out);
}

void client_pool_core::count_try(uint32_t round, bool good, caf::timespan took,
                                 time_point now, effects& out) {
  auto before = circuit_.state();
  circuit_.finish(round, good ? request_verdict::good : request_verdict::bad,
                  took, now);
  out.tried.push_back(good);
  auto after = circuit_.state();
  if (after == before || after == circuit_state::half_open)
    return;
  if (after == circuit_state::open)
    ++counts_.circuit_openings;
  out.circuits.emplace_back(after, details(failure_).sentence);
}

} // namespace callboard::net
