#include <bit>
#include <thread>
#include <utility>

#include <callboard/net/backoff.hpp>
#include <callboard/net/client_options.hpp>
#include <callboard/net/client_pool_core_parts.hpp>
#include <callboard/net/log.hpp>

namespace callboard::net {

namespace {

constexpr unsigned stacks_max = 16;

size_t stack_count() {
  auto cores = std::max(1u, std::thread::hardware_concurrency());
  return std::bit_ceil(std::min(cores, stacks_max));
}

// Threads are dealt to the stacks in the order in which they first come.
size_t thread_number() noexcept {
  static std::atomic<size_t> next{0};
  thread_local const size_t number = next.fetch_add(1,
                                                    std::memory_order_relaxed);
  return number;
}

// What is left out gets its standard meaning.
client_pool_surroundings completed(client_pool_surroundings x) {
  if (!x.now)
    x.now = [] { return std::chrono::steady_clock::now(); };
  if (!x.random)
    x.random = even_random();
  if (!x.on_leak)
    x.on_leak = log_lease_leak;
  return x;
}

void log_pool_circuit(const std::string& pool, circuit_state state,
                      const std::string& reason) {
  if (state == circuit_state::open)
    logger("net")->warn("pool_circuit_opened pool=\"{}\" reason=\"{}\"", pool,
                        reason);
  else
    logger("net")->info("pool_circuit_closed pool=\"{}\"", pool);
}

std::optional<pool_sizer> sizer_of(const client_pool_options& options) {
  if (!options.sized_by_load)
    return std::nullopt;
  auto x = options.sizer;
  x.targets.size_min = std::max<size_t>(1, options.idle_min);
  x.targets.size_max = options.total_max;
  return pool_sizer{x};
}

} // namespace

client_pool_core::client_pool_core(client_pool_options options,
                                   client_factory make,
                                   client_pool_surroundings around)
  : options_{std::move(options)},
    make_{std::move(make)},
    around_{completed(std::move(around))},
    slots_(options_.total_max),
    links_{options_.total_max},
    stacks_(stack_count()),
    circuit_{options_.circuit},
    sizer_{sizer_of(options_)} {
  for (auto i = options_.total_max; i > 0; --i)
    free_.push_back(static_cast<uint32_t>(i - 1));
  if (around_.metrics)
    metrics_ = std::make_unique<client_pool_metrics>(*around_.metrics,
                                                     options_.name);
  look_at_clock();
}

// -- without the lock ---------------------------------------------------------

idle_stack& client_pool_core::own_stack() noexcept {
  return stacks_[thread_number() & (stacks_.size() - 1)];
}

std::optional<uint32_t> client_pool_core::pop() noexcept {
  auto first = thread_number();
  for (size_t i = 0; i < stacks_.size(); ++i)
    if (auto x = stacks_[(first + i) & (stacks_.size() - 1)].pop(links_))
      return x;
  return std::nullopt;
}

bool client_pool_core::fit(const tenure& x) const noexcept {
  return !x.sick.load(std::memory_order_relaxed)
         && x.client->state() == pooled_state::ready
         && coarse_now() < x.expires_at;
}

lease client_pool_core::lend(uint32_t index, const call_site& where) noexcept {
  auto& place = slots_[index];
  auto x = std::move(place.held);
  auto number = x->record.write(where, now_ns_.load(std::memory_order_relaxed));
  place.lent.store(place.lent.load(std::memory_order_relaxed) + 1,
                   std::memory_order_relaxed);
  x->stage.lend(number);
  return lease{std::move(x)};
}

void client_pool_core::push(tenure_ptr x) noexcept {
  auto index = x->index;
  x->idle_since = coarse_now();
  x->stage.set(tenure_state::idle);
  slots_[index].held = std::move(x);
  own_stack().push(links_, index);
}

client_pool_core::time_point client_pool_core::coarse_now() const noexcept {
  return time_point{
    std::chrono::nanoseconds{now_ns_.load(std::memory_order_relaxed)}};
}

std::optional<uint32_t> client_pool_core::pop_now() noexcept {
  if (waiting_.load(std::memory_order_relaxed) > 0)
    return std::nullopt;
  auto index = pop();
  if (!index || fit(*slots_[*index].held))
    return index;
  // Who has the lock finds it there again, and closes it.
  own_stack().push(links_, *index);
  return std::nullopt;
}

caf::expected<lease> client_pool_core::try_borrow(const call_site& where) {
  if (auto index = pop_now())
    return lend(*index, where);
  std::optional<caf::expected<lease>> result;
  borrow_later(
    caf::timespan{0},
    [&result](caf::expected<lease> x) { result.emplace(std::move(x)); }, where);
  return std::move(*result);
}

caf::expected<lease> client_pool_core::borrow_idle(const call_site& where) {
  if (auto index = pop_now())
    return lend(*index, where);
  return exhausted();
}

void client_pool_core::take_back(tenure_ptr x) noexcept {
  auto& place = slots_[x->index];
  if (!fit(*x))
    return discard(std::move(x), place);
  push(std::move(x));
  // Who waits has counted itself, then looked for an index. We have pushed one,
  // and then look whether somebody is counted: one of us sees the other.
  if (waiting_.load(std::memory_order_seq_cst) > 0)
    return wake(place);
  // The pool's end waits for this; nothing of it is touched afterwards.
  place.settled.fetch_add(1, std::memory_order_release);
}

void client_pool_core::wake(slot& place) {
  // It may end as soon as the lease is settled, but for who holds on to it.
  auto hold = shared_from_this();
  effects out;
  {
    std::lock_guard guard{mutex_};
    serve(look_at_clock(), out);
  }
  place.settled.fetch_add(1, std::memory_order_release);
  run(out);
}

void client_pool_core::discard(tenure_ptr x, slot& place) {
  auto hold = shared_from_this();
  effects out;
  {
    std::lock_guard guard{mutex_};
    retire_unfit(std::move(x), out);
    settle_waiters(look_at_clock(), out);
  }
  place.settled.fetch_add(1, std::memory_order_release);
  run(out);
}

void client_pool_core::run(effects& x) {
  for (auto& opened : x.openings)
    opened->client->open(
      [core = weak_from_this(), what = std::weak_ptr<tenure>{opened}] {
        auto pool = core.lock();
        auto y = what.lock();
        if (pool && y)
          pool->changed(y);
      });
  for (auto& client : x.closings)
    client->close();
  for (auto& [to, number] : x.pings)
    to->client->ping(options_.ping_timeout,
                     [core = weak_from_this(), what = std::weak_ptr<tenure>{to},
                      n = number](bool alive) {
                       auto pool = core.lock();
                       auto y = what.lock();
                       if (pool && y)
                         pool->pinged(y, n, alive);
                     });
  for (auto& [state, reason] : x.circuits)
    log_pool_circuit(options_.name, state, reason);
  for (auto& leak : x.leaks)
    around_.on_leak(leak);
  if (around_.on_tried)
    for (auto good : x.tried)
      around_.on_tried(good);
  for (auto& [done, result] : x.answers)
    done(std::move(result));
}

// -- with the lock ------------------------------------------------------------

client_pool_core::time_point client_pool_core::look_at_clock() noexcept {
  auto now = around_.now();
  now_ns_.store(std::chrono::nanoseconds{now.time_since_epoch()}.count(),
                std::memory_order_relaxed);
  return now;
}

std::optional<uint32_t> client_pool_core::pop_fit(effects& out) {
  while (auto index = pop()) {
    if (fit(*slots_[*index].held))
      return index;
    retire_unfit(std::move(slots_[*index].held), out);
  }
  return std::nullopt;
}

void client_pool_core::vacate(const tenure_ptr& x, tenure_state end,
                              effects& out) {
  x->stage.set(end);
  auto& place = slots_[x->index];
  if (place.owner != x)
    return;
  place.owner.reset();
  free_.push_back(x->index);
  out.closings.push_back(x->client);
}

void client_pool_core::retire(const tenure_ptr& x, close_cause why,
                              effects& out) {
  if (slots_[x->index].owner == x)
    ++counts_.closed[static_cast<size_t>(why)];
  vacate(x, tenure_state::gone, out);
}

void client_pool_core::retire_unfit(tenure_ptr x, effects& out) {
  auto lost = x->client->state() != pooled_state::ready;
  auto broken = lost || x->sick.load(std::memory_order_relaxed);
  auto ours = slots_[x->index].owner == x;
  if (lost && ours && coarse_now() - x->opened_at < stable_after)
    lost_early(x, out);
  else if (broken && ours)
    out.tried.push_back(false);
  retire(x, broken ? close_cause::broken : close_cause::lifetime, out);
}

bool client_pool_core::disown(const tenure_ptr& x, uint64_t borrow,
                              tenure_state end, effects& out) {
  // From here on its lease finds that it has nothing, and keeps away.
  if (!x->stage.change(borrow, tenure_state::leased, end))
    return false;
  ++slots_[x->index].disowned;
  vacate(x, end, out);
  return true;
}

size_t client_pool_core::count(tenure_state x) const noexcept {
  return static_cast<size_t>(
    std::count_if(slots_.begin(), slots_.end(), [x](const slot& place) {
      return place.owner && place.owner->is(x);
    }));
}

uint64_t client_pool_core::borrows() const noexcept {
  uint64_t result = 0;
  for (auto& place : slots_)
    result += place.lent.load(std::memory_order_relaxed);
  return result;
}

client_pool_stats client_pool_core::stats_now() const {
  auto x = counts_;
  x.total = slots_.size() - free_.size();
  x.idle = count(tenure_state::idle);
  x.leased = count(tenure_state::leased);
  x.opening = opening_;
  x.waiting = waiters_.size();
  x.wanted = sizer_ ? sizer_->size() : 0;
  x.circuit = circuit_.state();
  x.borrows = borrows();
  return x;
}

client_pool_stats client_pool_core::stats() const {
  std::lock_guard guard{mutex_};
  return stats_now();
}

void client_pool_core::close() {
  for (;;) {
    effects out;
    bool done;
    {
      std::lock_guard guard{mutex_};
      if (!std::exchange(closed_, true))
        fail_waiters(to_error(pool_errc::pool_closed, "the pool is closed"),
                     out);
      let_go(out);
      done = settled();
      metrics_.reset();
    }
    run(out);
    if (done)
      return;
    std::this_thread::yield();
  }
}

void client_pool_core::let_go(effects& out) {
  for (auto& stack : stacks_)
    for (auto index : stack.take_all(links_)) {
      auto x = std::move(slots_[index].held);
      vacate(x, tenure_state::gone, out);
    }
  for (auto& place : slots_) {
    auto x = place.owner;
    if (x && x->is(tenure_state::opening)) {
      --opening_;
      vacate(x, tenure_state::gone, out);
    } else if (x) {
      disown(x, x->stage.borrow(), tenure_state::gone, out);
    }
  }
}

bool client_pool_core::settled() const noexcept {
  return std::all_of(slots_.begin(), slots_.end(), [](const slot& place) {
    return place.lent.load(std::memory_order_relaxed)
           == place.settled.load(std::memory_order_acquire) + place.disowned;
  });
}

} // namespace callboard::net
