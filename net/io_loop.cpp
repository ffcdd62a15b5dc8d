#include <callboard/net/io_loop.hpp>

#include <algorithm>

#include <unistd.h>

#include <caf/actor_system.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

namespace callboard::net {

namespace {

// Messages that an actor handles in a row, and actors resumed in a turn.
constexpr size_t messages_max = 300;
constexpr size_t resumed_max = 10'000;

// Under load, asio gets a look at every so many turns.
constexpr int turns_before_asio = 8;

int make_epoll() {
  auto result = epoll_create1(EPOLL_CLOEXEC);
  if (result < 0)
    throw boost::system::system_error{errno, boost::system::system_category(),
                                      "epoll_create1"};
  return result;
}

} // namespace

io_loop::io_loop(caf::actor_system& sys, node_context& node, uint32_t index,
                 framing& wire)
  : caf::execution_unit{&sys},
    work_{asio::make_work_guard(io_)},
    epoll_{make_epoll()},
    ready_{io_, epoll_},
    tick_timer_{io_},
    context_{node, index, wire, make_loop_metrics(sys.metrics(), index)},
    receive_buffer_(receive_bytes),
    events_(ready_max) {
  context_.unit = this;
  update_time();
}

io_loop::~io_loop() {
  stop();
}

// -- any thread ---------------------------------------------------------------

void io_loop::exec_later(caf::resumable* what) {
  resumable_ptr owned{what, false};
  if (owned->subtype() != caf::resumable::io_actor) {
    system().scheduler().enqueue(owned.release());
    return;
  }
  if (in_loop()) {
    queue_.push_back(std::move(owned));
    return;
  }
  {
    std::lock_guard lock{inbox_mutex_};
    inbox_actors_.push_back(std::move(owned));
  }
  wake();
}

void io_loop::post(std::function<void()> f) {
  {
    std::lock_guard lock{inbox_mutex_};
    inbox_calls_.push_back(std::move(f));
  }
  wake();
}

void io_loop::wake() {
  // One wake-up serves all that is sent until the loop looks.
  if (!woken_.exchange(true))
    asio::post(io_, [] {});
}

void io_loop::start() {
  thread_ = std::thread{[this] { run(); }};
}

void io_loop::stop() {
  if (!thread_.joinable())
    return;
  post([this] { stopping_ = true; });
  thread_.join();
}

// -- the loop's thread --------------------------------------------------------

bool io_loop::watch(int descriptor, uint32_t events, io_handler& handler) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &handler;
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

void io_loop::rewatch(int descriptor, uint32_t events, io_handler& handler) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &handler;
  epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &event);
}

void io_loop::unwatch(int descriptor, io_handler& handler) {
  epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr);
  unwatched_.push_back(&handler);
}

void io_loop::run() {
  thread_id_ = std::this_thread::get_id();
  wait_for_tick();
  auto turns = 0;
  for (;;) {
    update_time();
    auto served = serve_ready();
    if (served == 0 && queue_.empty() && !woken_ && !context_.busy()) {
      if (!stopping_)
        sleep();
      else if (io_.poll() == 0)
        break;
      turns = turns_before_asio;
    }
    if (++turns >= turns_before_asio) {
      turns = 0;
      serve_asio();
    }
    if (woken_)
      take_inbox();
    resume_actors();
    end_turn();
  }
  thread_id_ = std::thread::id{};
}

size_t io_loop::serve_ready() {
  auto n = epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()),
                      0);
  unwatched_.clear();
  for (auto i = 0; i < n; ++i) {
    auto* handler = static_cast<io_handler*>(events_[i].data.ptr);
    if (unwatched_.empty()
        || std::ranges::find(unwatched_, handler) == unwatched_.end())
      handler->on_ready(events_[i].events);
  }
  return n > 0 ? static_cast<size_t>(n) : 0;
}

void io_loop::take_inbox() {
  std::vector<resumable_ptr> actors;
  std::vector<std::function<void()>> calls;
  {
    std::lock_guard lock{inbox_mutex_};
    woken_ = false;
    actors.swap(inbox_actors_);
    calls.swap(inbox_calls_);
  }
  for (auto& x : actors)
    queue_.push_back(std::move(x));
  for (auto& f : calls)
    f();
}

void io_loop::resume_actors() {
  for (size_t n = 0; !queue_.empty() && n < resumed_max; ++n) {
    auto next = std::move(queue_.front());
    queue_.pop_front();
    resume(std::move(next));
  }
}

void io_loop::resume(resumable_ptr what) {
  switch (what->resume(this, messages_max)) {
    case caf::resumable::resume_later:
      queue_.push_back(std::move(what));
      break;
    default:
      // Its mailbox wakes it with a reference of its own.
      break;
  }
}

void io_loop::serve_asio() {
  asio_slice_.begin();
  while (io_.poll_one() > 0 && !asio_slice_.over())
    continue;
}

void io_loop::end_turn() {
  context_.flush();
  // A call may defer another one, and may have something to send.
  while (!deferred_.empty()) {
    auto calls = std::move(deferred_);
    deferred_.clear();
    for (auto& f : calls)
      f();
    context_.flush();
  }
  context_.publish_counts();
  auto now = std::chrono::steady_clock::now();
  std::chrono::duration<double> turn = now - turn_began_;
  context_.metrics.turn_seconds->observe(turn.count());
  measure_load(now);
}

void io_loop::measure_load(std::chrono::steady_clock::time_point now) {
  using namespace std::chrono;
  duration<double, std::milli> turn = now - turn_began_;
  context_.load.add_turn(turn.count());
  auto now_ms = duration_cast<milliseconds>(now.time_since_epoch()).count();
  if (!context_.load.due(now_ms))
    return;
  probe_.update(now_ms, context_.limits().load.memory_bytes_max > 0);
  context_.sample_load(now_ms, {queue_.size(), context_.outboxes.queued_bytes(),
                                probe_.cpu_share(), probe_.memory_bytes()});
}

void io_loop::update_time() {
  using namespace std::chrono;
  turn_began_ = steady_clock::now();
  context_.steady_ms
    = duration_cast<milliseconds>(turn_began_.time_since_epoch()).count();
  context_.unix_ms
    = duration_cast<milliseconds>(system_clock::now().time_since_epoch())
        .count();
}

void io_loop::sleep() {
  // In asio, whose set contains ours.
  context_.metrics.outbox_bytes->value(
    static_cast<int64_t>(context_.outboxes.queued_bytes()));
  wait_for_ready();
  io_.run_one();
  update_time();
}

void io_loop::wait_for_ready() {
  // Armed before sleeping only: under load the set is looked at anyway.
  if (!std::exchange(waiting_for_ready_, true))
    ready_.async_wait(asio::posix::stream_descriptor::wait_read,
                      [this](error_code) { waiting_for_ready_ = false; });
}

void io_loop::wait_for_tick() {
  tick_timer_.expires_after(std::chrono::milliseconds{250});
  tick_timer_.async_wait([this](error_code failed) {
    if (failed)
      return;
    if (tick_)
      tick_();
    wait_for_tick();
  });
}

} // namespace callboard::net
