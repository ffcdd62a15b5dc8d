#include <callboard/net/client_threads.hpp>

#include <atomic>
#include <list>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include <caf/sec.hpp>

#include <callboard/messages/errc.hpp>
#include <callboard/net/boost/asio.hpp>
#include <callboard/net/client_error.hpp>

namespace callboard::net {

namespace {

using namespace std::chrono_literals;

// How long the answers are waited for of what was asked before the end, and how
// often is looked for them.
constexpr auto drain_time = 5s;
constexpr auto drain_step = 20ms;

// Whether somebody on the other side said it, even if only that it has too much
// to do.
bool is_sign_of_life(const caf::expected<payload>& x) {
  return x || is_from_server(x.error());
}

// A client and what others may know of it. Its thread keeps it while it runs;
// what is posted to it therefore need not.
class threaded_client {
public:
  threaded_client(client_options options, client_handlers handlers)
    : handlers_{std::move(handlers)},
      client_{once(std::move(options)), watched()},
      drain_timer_{client_.context()} {
  }

  // Returns whether it is to be run.
  bool open(std::function<void()> changed) {
    std::lock_guard guard{mutex_};
    if (closing_)
      return false;
    changed_ = std::move(changed);
    opened_ = true;
    client_.start();
    return true;
  }

  void run() {
    auto why = client_.run();
    broken(std::move(why));
  }

  void broken(caf::error why) {
    std::function<void()> changed;
    {
      std::lock_guard guard{mutex_};
      if (state() == pooled_state::broken)
        return;
      why_ = why ? std::move(why) : caf::make_error(errc::cancelled);
      state_.store(pooled_state::broken, std::memory_order_release);
      changed = changed_;
    }
    if (changed)
      changed();
  }

  // Ends what was opened, but not run. Who looks at the state finds it.
  void fail(caf::error why) {
    std::lock_guard guard{mutex_};
    why_ = std::move(why);
    state_.store(pooled_state::broken, std::memory_order_release);
  }

  void close() {
    {
      std::lock_guard guard{mutex_};
      if (std::exchange(closing_, true) || !opened_)
        return;
    }
    client_.post([this] {
      drain_until_ = std::chrono::steady_clock::now() + drain_time;
      drain();
    });
  }

  void stop() {
    client_.stop();
  }

  void ping(caf::timespan timeout, std::function<void(bool)> done) {
    client_.post([this, timeout, done = std::move(done)] {
      // The question would wait behind others until its time is over. Whether
      // the other side is there is known all the same: by the heartbeat.
      if (client_.is_busy())
        return done(true);
      client_.request("callboard.echo", payload::pack(0), timeout,
                      [done](const caf::expected<payload>& x) {
                        done(is_sign_of_life(x));
                      });
    });
  }

  size_t in_flight() {
    if (!asked_.exchange(true, std::memory_order_relaxed))
      client_.post([this] {
        pending_.store(client_.pending(), std::memory_order_relaxed);
        asked_.store(false, std::memory_order_relaxed);
      });
    return pending_.load(std::memory_order_relaxed);
  }

  pooled_state state() const noexcept {
    return state_.load(std::memory_order_acquire);
  }

  caf::error failure() const {
    std::lock_guard guard{mutex_};
    return why_;
  }

  client& get() noexcept {
    return client_;
  }

private:
  static client_options once(client_options x) {
    x.reconnect = false;
    return x;
  }

  client_handlers watched() {
    auto x = handlers_;
    x.on_connected = [this](const welcome& said) {
      if (handlers_.on_connected)
        handlers_.on_connected(said);
      ready();
    };
    x.on_disconnected = [this](const disconnect_report& report) {
      if (handlers_.on_disconnected)
        handlers_.on_disconnected(report);
      broken(report.why);
    };
    return x;
  }

  void ready() {
    std::function<void()> changed;
    {
      std::lock_guard guard{mutex_};
      state_.store(pooled_state::ready, std::memory_order_release);
      changed = changed_;
    }
    if (changed)
      changed();
  }

  void drain() {
    if (client_.pending() == 0
        || std::chrono::steady_clock::now() >= drain_until_)
      return client_.stop();
    drain_timer_.expires_after(drain_step);
    drain_timer_.async_wait([this](const error_code& ec) {
      if (!ec)
        drain();
    });
  }

  mutable std::mutex mutex_;
  std::atomic<pooled_state> state_{pooled_state::opening};
  std::atomic<size_t> pending_{0};
  std::atomic<bool> asked_{false};
  // Guarded by `mutex_`.
  std::function<void()> changed_;
  caf::error why_;
  bool opened_ = false;
  bool closing_ = false;
  // Of its thread.
  client_handlers handlers_;
  client client_;
  asio::steady_timer drain_timer_;
  std::chrono::steady_clock::time_point drain_until_;
};

} // namespace

class client_threads::impl {
public:
  void run(std::shared_ptr<threaded_client> x) {
    std::lock_guard guard{mutex_};
    reap();
    auto& place = places_.emplace_back();
    place.client = x;
    try {
      place.thread = std::thread{[&place, x = std::move(x)]() mutable {
        x->run();
        x.reset();
        place.done.store(true, std::memory_order_release);
      }};
    } catch (const std::system_error& why) {
      // Without a word: this is within `open`, and its pool may want to open
      // another one, for which this lock is needed.
      if (auto client = place.client.lock())
        client->fail(caf::make_error(caf::sec::runtime_error,
                                     std::string{"no thread for a client: "}
                                       + why.what()));
      places_.pop_back();
    }
  }

  void stop() {
    std::list<place> all;
    {
      std::lock_guard guard{mutex_};
      all.swap(places_);
    }
    for (auto& x : all)
      if (auto client = x.client.lock())
        client->stop();
    for (auto& x : all)
      x.thread.join();
  }

  size_t size() {
    std::lock_guard guard{mutex_};
    reap();
    return places_.size();
  }

private:
  struct place {
    std::weak_ptr<threaded_client> client;
    std::thread thread;
    std::atomic<bool> done{false};
  };

  // Takes away the threads that are at their end.
  void reap() {
    for (auto i = places_.begin(); i != places_.end();) {
      if (!i->done.load(std::memory_order_acquire)) {
        ++i;
        continue;
      }
      i->thread.join();
      i = places_.erase(i);
    }
  }

  std::mutex mutex_;
  std::list<place> places_;
};

namespace {

// A client as its pool sees it.
class threaded_client_handle : public pooled_client {
public:
  using runner = std::function<void(std::shared_ptr<threaded_client>)>;

  threaded_client_handle(std::shared_ptr<threaded_client> x, runner run)
    : client_{std::move(x)}, run_{std::move(run)} {
  }

  ~threaded_client_handle() override {
    client_->close();
  }

  void open(std::function<void()> changed) override {
    if (client_->open(std::move(changed)))
      run_(client_);
  }

  pooled_state state() const noexcept override {
    return client_->state();
  }

  size_t in_flight() const noexcept override {
    return client_->in_flight();
  }

  void ping(caf::timespan timeout, std::function<void(bool)> done) override {
    client_->ping(timeout, std::move(done));
  }

  caf::error failure() const override {
    return client_->failure();
  }

  void close() noexcept override {
    client_->close();
  }

  client& get() noexcept {
    return client_->get();
  }

private:
  std::shared_ptr<threaded_client> client_;
  runner run_;
};

} // namespace

client_threads::client_threads() : impl_{std::make_shared<impl>()} {
}

client_threads::~client_threads() {
  impl_->stop();
}

std::unique_ptr<pooled_client> client_threads::make(client_options options,
                                                    client_handlers handlers) {
  auto x = std::make_shared<threaded_client>(std::move(options),
                                             std::move(handlers));
  return std::make_unique<threaded_client_handle>(
    std::move(x), [where = impl_](std::shared_ptr<threaded_client> y) {
      where->run(std::move(y));
    });
}

size_t client_threads::size() const {
  return impl_->size();
}

client* client_of(const lease& x) noexcept {
  auto handle = dynamic_cast<threaded_client_handle*>(x.get());
  return handle ? &handle->get() : nullptr;
}

} // namespace callboard::net
