// Borrow and return: the client pool beside one of a mutex and a queue, with
// threads that do nothing else, each on a core of its own.
//
//   bench_pool [THREADS [ROUNDS]]
//
// In each round both are measured, one after the other, and the next round
// begins with the other one. Printed are medians, and the ratio.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <pthread.h>

#include <caf/init_global_meta_objects.hpp>

#include <callboard/net/client_init.hpp>
#include <callboard/net/client_pool.hpp>

namespace {

using namespace callboard;
using clock_type = std::chrono::steady_clock;

constexpr size_t connections = 8;
constexpr auto sample = std::chrono::milliseconds{500};

/// A connection that is always ready.
class ready_client : public net::pooled_client {
public:
  void open(std::function<void()> changed) override {
    changed_ = std::move(changed);
  }

  net::pooled_state state() const noexcept override {
    return state_.load(std::memory_order_acquire);
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
    state_ = net::pooled_state::broken;
  }

  void become_ready() {
    state_ = net::pooled_state::ready;
    changed_();
  }

private:
  std::atomic<net::pooled_state> state_{net::pooled_state::opening};
  std::function<void()> changed_;
};

/// What most write: a queue of what is free, under a mutex, and a condition for
/// those who wait. It checks a connection on borrow as well, and does nothing
/// else of what the client pool does.
class queue_pool {
public:
  explicit queue_pool(std::vector<net::pooled_client*> all)
    : free_{all.begin(), all.end()} {
  }

  net::pooled_client* borrow() {
    std::unique_lock guard{mutex_};
    freed_.wait(guard, [this] { return !free_.empty(); });
    auto x = free_.front();
    free_.pop_front();
    return x->state() == net::pooled_state::ready ? x : nullptr;
  }

  void give_back(net::pooled_client* x) {
    {
      std::lock_guard guard{mutex_};
      free_.push_back(x);
    }
    freed_.notify_one();
  }

private:
  std::mutex mutex_;
  std::condition_variable freed_;
  std::deque<net::pooled_client*> free_;
};

void pin(size_t core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core % std::max(1u, std::thread::hardware_concurrency()), &set);
  pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

/// Returns how often a second all threads together have done what `some`
/// counts.
double measure(size_t threads, const std::function<size_t(size_t)>& some) {
  constexpr size_t batch = 1000;
  std::atomic<size_t> ready{0};
  std::atomic<bool> begin{false};
  std::atomic<bool> end{false};
  std::atomic<size_t> total{0};
  std::vector<std::thread> all;
  for (size_t i = 0; i < threads; ++i)
    all.emplace_back([&, i] {
      pin(i);
      ++ready;
      while (!begin)
        std::this_thread::yield();
      size_t n = 0;
      while (!end)
        n += some(batch);
      total += n;
    });
  while (ready < threads)
    std::this_thread::yield();
  auto start = clock_type::now();
  begin = true;
  std::this_thread::sleep_for(sample);
  end = true;
  for (auto& x : all)
    x.join();
  std::chrono::duration<double> passed = clock_type::now() - start;
  return static_cast<double>(total) / passed.count();
}

/// The client pool, with all its connections ready.
struct subject {
  subject() {
    net::client_pool_options options;
    options.total_max = options.idle_max = options.idle_min = connections;
    options.openings_max = connections;
    pool = std::make_unique<net::client_pool>(options, [this] {
      auto x = std::make_unique<ready_client>();
      clients.push_back(x.get());
      return x;
    });
    pool->tick();
    for (auto x : std::vector{clients})
      x->become_ready();
  }

  std::vector<ready_client*> clients;
  std::unique_ptr<net::client_pool> pool;
};

double median(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  return x[x.size() / 2];
}

size_t argument(int argc, char** argv, int i, size_t standard) {
  auto x = argc > i ? std::strtoul(argv[i], nullptr, 10) : standard;
  return std::clamp<size_t>(x, 1, 64);
}

} // namespace

int main(int argc, char** argv) {
  caf::core::init_global_meta_objects();
  net::init_client();
  auto threads = argument(argc, argv, 1, 2);
  auto rounds = argument(argc, argv, 2, 9);
  subject ours;
  std::vector<std::unique_ptr<ready_client>> own;
  std::vector<net::pooled_client*> free;
  for (size_t i = 0; i < connections; ++i) {
    own.push_back(std::make_unique<ready_client>());
    own.back()->open([] {});
    own.back()->become_ready();
    free.push_back(own.back().get());
  }
  queue_pool theirs{free};
  std::atomic<size_t> failures{0};
  auto use_ours = [&](size_t n) {
    for (size_t i = 0; i < n; ++i)
      if (auto x = ours.pool->try_borrow(); !x || !x->get())
        ++failures;
    return n;
  };
  auto use_theirs = [&](size_t n) {
    for (size_t i = 0; i < n; ++i) {
      auto x = theirs.borrow();
      if (!x)
        ++failures;
      theirs.give_back(x);
    }
    return n;
  };
  std::vector<double> pool;
  std::vector<double> queue;
  std::vector<double> ratios;
  for (size_t i = 0; i < rounds; ++i) {
    if (i % 2 == 0)
      pool.push_back(measure(threads, use_ours));
    queue.push_back(measure(threads, use_theirs));
    if (i % 2 != 0)
      pool.push_back(measure(threads, use_ours));
    ratios.push_back(pool.back() / queue.back());
  }
  std::printf("borrow and return, %zu threads, %zu connections, %zu rounds\n"
              "client_pool       %8.2f M/s\n"
              "mutex and queue   %8.2f M/s\n"
              "ratio             %8.2f (%.2f to %.2f; wanted: 1.5)\n",
              threads, connections, rounds, median(pool) / 1e6,
              median(queue) / 1e6, median(ratios),
              *std::min_element(ratios.begin(), ratios.end()),
              *std::max_element(ratios.begin(), ratios.end()));
  if (failures == 0)
    return 0;
  std::fprintf(stderr, "bench_pool: %zu borrows got nothing\n",
               failures.load());
  return 1;
}
