#include <callboard/net/client_pool.hpp>

#include <atomic>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include <callboard/net/client_pool_stack.hpp>
#include <callboard/net/client_pool_upkeep.hpp>

#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

namespace {

using time_point = std::chrono::steady_clock::time_point;

/// What both sides of a connection share.
struct shared_side {
  std::atomic<net::pooled_state> state{net::pooled_state::opening};
  /// Who has borrowed it.
  std::atomic<int> users{0};
  std::function<void()> changed;
};

using side_ptr = std::shared_ptr<shared_side>;

/// The connections that are to be opened. A thread of the test opens them.
class opener {
public:
  void add(side_ptr x) {
    std::lock_guard guard{mutex_};
    waiting_.push_back(std::move(x));
  }

  /// Opens those that wait; each fifth fails.
  void run() {
    std::deque<side_ptr> all;
    {
      std::lock_guard guard{mutex_};
      all.swap(waiting_);
    }
    for (auto& x : all) {
      auto wanted = net::pooled_state::opening;
      x->state.compare_exchange_strong(wanted, ++opened_ % 5 == 0
                                                 ? net::pooled_state::broken
                                                 : net::pooled_state::ready);
      x->changed();
    }
  }

private:
  std::mutex mutex_;
  std::deque<side_ptr> waiting_;
  size_t opened_ = 0;
};

class shared_client : public net::pooled_client {
public:
  explicit shared_client(opener& by) : by_{by} {
  }

  void open(std::function<void()> changed) override {
    side_->changed = std::move(changed);
    by_.add(side_);
  }

  net::pooled_state state() const noexcept override {
    return side_->state.load();
  }

  size_t in_flight() const noexcept override {
    return 0;
  }

  void ping(caf::timespan, std::function<void(bool)> done) override {
    done(true);
  }

  caf::error failure() const override {
    return {};
  }

  void close() noexcept override {
    side_->state = net::pooled_state::broken;
  }

  /// Returns whether nobody else has it.
  bool enter() {
    return side_->users.fetch_add(1) == 0;
  }

  void leave() {
    side_->users.fetch_sub(1);
  }

private:
  opener& by_;
  side_ptr side_ = std::make_shared<shared_side>();
};

struct fixture {
  fixture() {
    options.idle_min = 1;
    options.idle_max = 3;
    options.total_max = 4;
    options.openings_max = 4;
    options.circuit.requests_min = 1'000'000;
  }

  std::unique_ptr<net::client_pool> make() {
    net::client_pool_surroundings around;
    around.now = [this] {
      return time_point{std::chrono::milliseconds{now_ms.load()}};
    };
    around.on_leak = [this](const net::lease_leak&) { ++leaks; };
    return std::make_unique<net::client_pool>(
      options, [this] { return std::make_unique<shared_client>(open); },
      around);
  }

  /// Borrows often, in all ways, and looks whether anybody else has the same.
  void use(net::client_pool& pool, size_t rounds, size_t seed) {
    for (size_t i = 0; i < rounds; ++i) {
      auto x = (i + seed) % 4 == 0 ? pool.borrow(2ms) : pool.try_borrow();
      if (!x)
        continue;
      ++lent;
      auto client = dynamic_cast<shared_client*>(x->get());
      if (!client)
        continue;
      if (!client->enter())
        ++shared;
      if ((i + seed) % 7 == 0)
        std::this_thread::yield();
      if ((i + seed) % 1009 == 0)
        x->mark_broken();
      client->leave();
    }
  }

  net::client_pool_options options;
  opener open;
  std::atomic<int64_t> now_ms{3'600'000};
  std::atomic<size_t> lent{0};
  std::atomic<size_t> shared{0};
  std::atomic<size_t> leaks{0};
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(threads_tests, fixture)

CAF_TEST(no index is on a stack twice) {
  constexpr size_t size = 4;
  net::index_links links{size};
  net::idle_stack stacks[2];
  for (uint32_t i = 0; i < size; ++i)
    stacks[i % 2].push(links, i);
  std::vector<size_t> plain(size, 0);
  std::vector<std::atomic<int>> users(size);
  std::atomic<size_t> found{0};
  std::vector<std::thread> all;
  for (size_t t = 0; t < 4; ++t)
    all.emplace_back([&, t] {
      for (size_t i = 0; i < 20'000; ++i) {
        auto x = stacks[(t + i) % 2].pop(links);
        if (!x)
          continue;
        if (users[*x].fetch_add(1, std::memory_order_relaxed) != 0)
          ++shared;
        // What is written with an index is seen with it.
        ++plain[*x];
        ++found;
        users[*x].fetch_sub(1, std::memory_order_relaxed);
        stacks[t % 2].push(links, *x);
      }
    });
  for (auto& x : all)
    x.join();
  CAF_CHECK_EQUAL(shared.load(), 0u);
  size_t sum = 0;
  for (auto n : plain)
    sum += n;
  CAF_CHECK_EQUAL(sum, found.load());
  auto left = stacks[0].take_all(links).size()
              + stacks[1].take_all(links).size();
  CAF_CHECK_EQUAL(left, size);
}

CAF_TEST(no connection is lent twice) {
  options.lease_max = 5ms;
  options.reclaim = true;
  options.lifetime = 300ms;
  options.lifetime_jitter = 0.5;
  options.idle_time = 100ms;
  options.ping_interval = 20ms;
  auto pool = make();
  std::atomic<bool> end{false};
  std::thread upkeep{[&] {
    while (!end) {
      ++now_ms;
      pool->tick();
      open.run();
      std::this_thread::yield();
    }
  }};
  std::vector<std::thread> all;
  for (size_t t = 0; t < 4; ++t)
    all.emplace_back([&, t] { use(*pool, 10'000, t); });
  for (auto& x : all)
    x.join();
  end = true;
  upkeep.join();
  pool->tick();
  CAF_CHECK_EQUAL(shared.load(), 0u);
  CAF_CHECK(lent.load() > 0);
  auto x = pool->stats();
  CAF_CHECK_EQUAL(x.borrows, lent.load());
  CAF_CHECK_EQUAL(x.leased, 0u);
  CAF_CHECK_EQUAL(x.waiting, 0u);
  CAF_CHECK(x.total <= 4);
  CAF_CHECK_EQUAL(x.leaks, leaks.load());
}

CAF_TEST(who waits is woken by who gives back) {
  options.total_max = options.idle_max = 1;
  options.idle_min = 1;
  auto pool = make();
  pool->tick();
  open.run();
  constexpr size_t rounds = 500;
  // Without a tick, nothing but what is given back helps those who wait.
  auto take_turns = [&] {
    for (size_t i = 0; i < rounds; ++i) {
      auto x = pool->borrow(2min);
      if (x)
        ++lent;
      std::this_thread::yield();
    }
  };
  std::vector<std::thread> all;
  for (size_t t = 0; t < 3; ++t)
    all.emplace_back(take_turns);
  for (auto& x : all)
    x.join();
  CAF_CHECK_EQUAL(lent.load(), 3 * rounds);
}

CAF_TEST(a pool ends while leases end) {
  options.idle_min = 3;
  for (int i = 0; i < 200; ++i) {
    auto pool = make();
    pool->tick();
    open.run();
    pool->tick();
    std::vector<net::lease> held;
    while (auto x = pool->try_borrow())
      held.push_back(std::move(*x));
    std::atomic<bool> begin{false};
    std::thread other{[&] {
      while (!begin)
        std::this_thread::yield();
      held.clear();
    }};
    begin = true;
    pool.reset();
    other.join();
  }
}

CAF_TEST(who waits is told when the pool ends) {
  options.total_max = options.idle_max = 1;
  auto pool = make();
  pool->tick();
  open.run();
  auto x = pool->try_borrow();
  CAF_REQUIRE(x);
  std::atomic<bool> told{false};
  std::thread other{[&] {
    auto y = pool->borrow(2min);
    told = !y;
  }};
  while (pool->stats().waiting == 0)
    std::this_thread::yield();
  pool->close();
  other.join();
  CAF_CHECK(told.load());
  CAF_CHECK(!*x);
}

CAF_TEST(the upkeep ticks until it ends) {
  std::atomic<size_t> ticks{0};
  {
    net::client_pool_upkeep upkeep{[&] { ++ticks; }, 1ms};
    while (ticks < 3)
      std::this_thread::yield();
  }
  auto last = ticks.load();
  std::this_thread::yield();
  CAF_CHECK_EQUAL(ticks.load(), last);
  // It may be about to wait for an hour.
  net::client_pool_upkeep slow{[&] { ++ticks; }, 1h};
  while (ticks < last + 1)
    std::this_thread::yield();
}

CAF_TEST_FIXTURE_SCOPE_END()
