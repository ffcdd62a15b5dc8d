#include <callboard/net/client_pools.hpp>

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include <callboard/net/backoff.hpp>
#include <callboard/net/client_pool_error.hpp>
#include <callboard/net/log.hpp>

namespace callboard::net {

namespace {

using pool_ptr = std::shared_ptr<client_pool>;
using pool_time = std::chrono::steady_clock::time_point;

// What an authority knows of its targets. Its pools tell it.
struct target_health {
  target_health(const client_pools_options& options, size_t first)
    : set{options.targets, options.ejection, first} {
  }

  std::mutex mutex;
  target_set set;
};

// The pools of one authority, by target; null: there is none.
struct authority_pools {
  authority_pools(const client_pools_options& options, size_t first)
    : health{std::make_shared<target_health>(options, first)},
      pools(options.targets.size()),
      used_at(options.targets.size()) {
  }

  std::shared_ptr<target_health> health;
  std::vector<pool_ptr> pools;
  std::vector<pool_time> used_at;
};

bool is_used(const client_pool& x) {
  auto now = x.stats();
  return now.leased > 0 || now.waiting > 0;
}

} // namespace

class client_pools::impl {
public:
  impl(client_pools_options options, authority_client_factory make,
       client_pool_surroundings around)
    : options_{std::move(options)},
      make_{std::move(make)},
      around_{std::move(around)},
      salt_{salt(around_)} {
    if (!around_.now)
      around_.now = [] { return std::chrono::steady_clock::now(); };
  }

  caf::expected<pool_ptr> pool(size_t target, const std::string& authority) {
    // Those that give way end without the lock.
    std::vector<pool_ptr> removed;
    std::lock_guard guard{mutex_};
    if (closed_)
      return to_error(pool_errc::pool_closed, "the pools are closed");
    auto now = around_.now();
    auto i = authorities_.find(authority);
    if (i == authorities_.end() || !i->second.pools[target]) {
      if (count_ >= options_.pools_max)
        removed = take_unused(now);
      if (count_ >= options_.pools_max)
        return to_error(pool_errc::too_many_pools,
                        "there are as many pools as may be");
      i = find_or_add(authority);
      i->second.pools[target] = make_pool(target, authority, i->second.health);
      ++count_;
    }
    i->second.used_at[target] = now;
    return i->second.pools[target];
  }

  // Returns the targets in their order, and which of them have a pool.
  std::vector<std::pair<size_t, bool>> order(const std::string& authority,
                                             std::string_view key) {
    std::lock_guard guard{mutex_};
    std::vector<size_t> in_flight(options_.targets.size(), 0);
    std::vector<bool> there(options_.targets.size(), false);
    auto i = find_or_add(authority);
    auto& known = i->second;
    for (size_t n = 0; n < known.pools.size(); ++n) {
      if (!known.pools[n])
        continue;
      auto now = known.pools[n]->stats();
      in_flight[n] = now.leased + now.waiting;
      there[n] = true;
    }
    std::vector<std::pair<size_t, bool>> result;
    {
      std::lock_guard health_guard{known.health->mutex};
      for (auto n : known.health->set.order(key, in_flight, around_.now()))
        result.emplace_back(n, there[n]);
    }
    drop_if_empty(i);
    return result;
  }

  void tick() {
    std::vector<pool_ptr> removed;
    std::vector<pool_ptr> all;
    {
      std::lock_guard guard{mutex_};
      removed = take_unused(around_.now());
      all = list();
    }
    for (auto& x : all)
      x->tick();
  }

  void close() {
    std::vector<pool_ptr> all;
    {
      std::lock_guard guard{mutex_};
      closed_ = true;
      all = list();
      authorities_.clear();
      count_ = 0;
    }
    for (auto& x : all)
      x->close();
  }

  size_t size() const {
    std::lock_guard guard{mutex_};
    return count_;
  }

private:
  using authority_map = std::map<std::string, authority_pools>;

  static std::string salt(const client_pool_surroundings& around) {
    auto random = around.random ? around.random : even_random();
    return std::to_string(random());
  }

  // Each authority begins with a target of its own, and in each process with
  // another: those with one connection would else all have it to the same one.
  authority_map::iterator find_or_add(const std::string& authority) {
    auto first = affinity(authority, salt_) % options_.targets.size();
    return authorities_.try_emplace(authority, options_, first).first;
  }

  pool_ptr make_pool(size_t target, const std::string& authority,
                     std::shared_ptr<target_health> health) {
    auto options = options_.pool;
    options.name += '/' + std::to_string(target);
    auto around = around_;
    around.on_tried = [health = std::move(health), target, now = around_.now,
                       next = around_.on_tried,
                       name = options.name](bool good) {
      bool ejected;
      {
        std::lock_guard guard{health->mutex};
        ejected = health->set.report(target, good, now());
      }
      if (ejected)
        logger("net")->warn("pool_target_ejected pool=\"{}\"", name);
      if (next)
        next(good);
    };
    auto make = [make = make_, url = options_.targets[target], authority] {
      return make(url, authority);
    };
    return std::make_shared<client_pool>(std::move(options), std::move(make),
                                         std::move(around));
  }

  std::vector<pool_ptr> list() const {
    std::vector<pool_ptr> result;
    for (auto& [name, known] : authorities_)
      for (auto& x : known.pools)
        if (x)
          result.push_back(x);
    return result;
  }

  // Takes out the pools that nobody has used for long, nor has a hand on.
  std::vector<pool_ptr> take_unused(pool_time now) {
    std::vector<pool_ptr> result;
    for (auto i = authorities_.begin(); i != authorities_.end();) {
      auto& known = i->second;
      for (size_t n = 0; n < known.pools.size(); ++n) {
        auto& x = known.pools[n];
        if (!x || now - known.used_at[n] < options_.idle_time)
          continue;
        if (x.use_count() > 1 || is_used(*x)) {
          known.used_at[n] = now;
          continue;
        }
        result.push_back(std::move(x));
        --count_;
      }
      i = drop_if_empty(i);
    }
    return result;
  }

  authority_map::iterator drop_if_empty(authority_map::iterator i) {
    auto& pools = i->second.pools;
    auto empty = std::none_of(pools.begin(), pools.end(),
                              [](auto& x) { return x != nullptr; });
    return empty ? authorities_.erase(i) : std::next(i);
  }

  mutable std::mutex mutex_;
  client_pools_options options_;
  authority_client_factory make_;
  client_pool_surroundings around_;
  std::string salt_;
  authority_map authorities_;
  size_t count_ = 0;
  bool closed_ = false;
};

std::string check(const client_pools_options& x) {
  if (x.targets.empty() || x.targets.size() > 64)
    return "there are not 1 to 64 targets";
  if (std::set<std::string>{x.targets.begin(), x.targets.end()}.size()
      != x.targets.size())
    return "a target is there twice";
  if (x.pools_max < 1 || x.pools_max > 65'536)
    return "pools_max is not 1 to 65536";
  if (x.idle_time < std::chrono::seconds{1}
      || x.idle_time > std::chrono::hours{24})
    return "idle_time is not 1 s to 24 h";
  auto& out = x.ejection;
  if (out.failures < 1 || out.failures > 1000)
    return "ejection.failures is not 1 to 1000";
  if (out.time < std::chrono::milliseconds{100}
      || out.time > std::chrono::hours{1})
    return "ejection.time is not 0.1 s to 1 h";
  if (out.time_max < std::chrono::milliseconds{100}
      || out.time_max > std::chrono::hours{24})
    return "ejection.time_max is not 0.1 s to 24 h";
  if (!(out.share_max >= 0 && out.share_max <= 1))
    return "ejection.share_max is not 0 to 1";
  return check(x.pool);
}

client_pools::client_pools(client_pools_options options,
                           authority_client_factory make,
                           client_pool_surroundings around)
  : impl_{std::make_unique<impl>(std::move(options), std::move(make),
                                 std::move(around))} {
}

client_pools::~client_pools() {
  impl_->close();
}

caf::expected<std::shared_ptr<client_pool>>
client_pools::pool(size_t target, const std::string& authority) {
  return impl_->pool(target, authority);
}

caf::expected<lease> client_pools::try_borrow(const std::string& authority,
                                              std::string_view key,
                                              call_site where) {
  caf::error why;
  // Until one can be connected to; the others are only asked what they have.
  auto open = true;
  for (auto [target, there] : impl_->order(authority, key)) {
    if (!open && !there)
      continue;
    auto from = impl_->pool(target, authority);
    if (!from)
      return from.error();
    auto x = open ? (*from)->try_borrow(where) : (*from)->borrow_idle(where);
    if (x)
      return x;
    if (!open)
      continue;
    why = x.error();
    open = is_error(why, pool_errc::target_unavailable);
    if (!open && !key.empty())
      break;
  }
  return why;
}

caf::expected<lease> client_pools::borrow(const std::string& authority,
                                          std::string_view key,
                                          caf::timespan wait, call_site where) {
  if (key.empty())
    if (auto x = try_borrow(authority, key, where))
      return x;
  caf::error why;
  for (auto [target, there] : impl_->order(authority, key)) {
    auto from = impl_->pool(target, authority);
    if (!from)
      return from.error();
    auto x = (*from)->borrow(wait, where);
    if (x || !is_error(x.error(), pool_errc::target_unavailable))
      return x;
    why = x.error();
  }
  return why;
}

void client_pools::tick() {
  impl_->tick();
}

void client_pools::close() {
  impl_->close();
}

size_t client_pools::size() const {
  return impl_->size();
}

} // namespace callboard::net
