#pragma once

#include <callboard/net/client_pool.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <callboard/net/client_error.hpp>
#include <callboard/net/client_pool_error.hpp>

#include "support/test.hpp"

namespace callboard {

/// What a test sees and decides of one connection.
struct fake_side {
  /// Becomes ready or broken, and says so.
  void become(net::pooled_state x, caf::error reason = {}) {
    state = x;
    why = std::move(reason);
    if (auto tell = changed)
      tell();
  }

  net::pooled_state state = net::pooled_state::opening;
  caf::error why;
  std::function<void()> changed;
  std::vector<std::function<void(bool)>> pings;
  size_t in_flight = 0;
  bool opened = false;
  size_t closings = 0;
  std::string target;
  std::string authority;
};

using fake_side_ptr = std::shared_ptr<fake_side>;

/// A connection without a network.
class fake_client : public net::pooled_client {
public:
  explicit fake_client(fake_side_ptr x) : side_{std::move(x)} {
  }

  void open(std::function<void()> changed) override {
    side_->opened = true;
    side_->changed = std::move(changed);
  }

  net::pooled_state state() const noexcept override {
    return side_->state;
  }

  size_t in_flight() const noexcept override {
    return side_->in_flight;
  }

  void ping(caf::timespan, std::function<void(bool)> done) override {
    side_->pings.push_back(std::move(done));
  }

  caf::error failure() const override {
    return side_->why;
  }

  void close() noexcept override {
    ++side_->closings;
    side_->state = net::pooled_state::broken;
  }

  const fake_side* side() const noexcept {
    return side_.get();
  }

private:
  fake_side_ptr side_;
};

/// A pool of fakes on virtual time.
struct pool_fixture {
  using lease = net::lease;
  using state = net::pooled_state;
  using stats = net::client_pool_stats;
  using time_point = std::chrono::steady_clock::time_point;

  pool_fixture() {
    options.idle_min = 0;
    options.idle_max = 4;
    options.total_max = 4;
    options.ping_interval = caf::timespan{0};
    options.idle_time = caf::timespan{0};
    options.lifetime = caf::timespan{0};
    options.lease_max = caf::timespan{0};
  }

  // Who waits hears of the end, and gets none of the leases that end with this.
  ~pool_fixture() {
    if (pool)
      pool->close();
  }

  void start() {
    CAF_REQUIRE_EQUAL(check(options), "");
    pool = std::make_unique<net::client_pool>(
      options, [this] { return make(); }, around());
  }

  net::client_pool_surroundings around() {
    net::client_pool_surroundings x;
    x.now = [this] { return now; };
    x.random = [this] { return drawn; };
    x.on_leak = [this](const net::lease_leak& leak) { leaks.push_back(leak); };
    x.on_tried = [this](bool good) { tried.push_back(good); };
    return x;
  }

  std::unique_ptr<net::pooled_client> make(std::string target = {},
                                           std::string authority = {}) {
    if (none_to_be_had)
      return nullptr;
    auto side = std::make_shared<fake_side>();
    side->target = std::move(target);
    side->authority = std::move(authority);
    sides.push_back(side);
    return std::make_unique<fake_client>(side);
  }

  /// Has one connection more, which nobody has borrowed.
  void add_idle() {
    auto waits = pool->try_borrow();
    CAF_REQUIRE(!waits);
    sides.back()->become(state::ready);
  }

  /// Borrows `n` connections of a pool that has room for them.
  std::vector<lease> borrow_all(size_t n) {
    std::vector<lease> result;
    while (result.size() < n) {
      auto x = pool->try_borrow();
      if (x)
        result.push_back(std::move(*x));
      else
        sides.back()->become(state::ready);
    }
    return result;
  }

  /// Ends the leases that waiters got so far; who waits may get one of them.
  void give_back() {
    std::exchange(leases, {});
  }

  /// Lets a borrower wait; `heard` tells what came of it.
  void wait_for(caf::timespan wait, const std::string& name) {
    pool->borrow_later(wait, [this, name](caf::expected<lease> x) {
      heard.push_back(name + ": " + words(x));
      if (x)
        leases.push_back(std::move(*x));
    });
  }

  static std::string words(const caf::expected<lease>& x) {
    return x ? "lease" : net::details(x.error()).name;
  }

  /// Borrows, and gives back at once.
  std::string try_words() {
    return words(pool->try_borrow());
  }

  void pass(caf::timespan x) {
    now += x;
    pool->tick();
  }

  static const fake_side* side_of(const lease& x) {
    auto client = dynamic_cast<fake_client*>(x.get());
    return client ? client->side() : nullptr;
  }

  net::client_pool_options options;
  time_point now{std::chrono::hours{1}};
  double drawn = 0;
  bool none_to_be_had = false;
  std::vector<fake_side_ptr> sides;
  std::vector<net::lease_leak> leaks;
  std::vector<bool> tried;
  std::vector<std::string> heard;
  std::unique_ptr<net::client_pool> pool;
  // They end before their pool, unless a test ends it.
  std::vector<lease> leases;
};

using words_list = std::vector<std::string>;

} // namespace callboard
