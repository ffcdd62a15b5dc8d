// Nodes that are killed.

#include <callboard/store/disk_store.hpp>

#include <array>
#include <deque>
#include <random>

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

#include "support/store_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

namespace {

// A node that publishes to some topics as fast as it can and writes a byte to
// `out` for each event that the store has acknowledged: its topic.
[[noreturn]] void publish_until_killed(const disk_store_options& options,
                                       int out) {
  struct acknowledger : store_receiver {
    void report(store_report_ptr x) override {
      std::lock_guard guard{mutex};
      std::string told;
      for (auto& y : x->appended) {
        for (size_t i = 0; i < y.count; ++i) {
          if (y.committed)
            told += static_cast<char>('a' + waiting.front());
          waiting.pop_front();
        }
      }
      if (!told.empty() && ::write(out, told.data(), told.size()) < 0)
        _exit(2);
      for (auto& y : x->loaded)
        heads[static_cast<size_t>(y.topic[0] - 'a')] = y.what.head;
      loaded += x->loaded.size();
      changed.notify_all();
    }

    int out = -1;
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<size_t> waiting;
    size_t loaded = 0;
    uint64_t heads[3] = {};
  };
  auto to = std::make_shared<acknowledger>();
  to->out = out;
  disk_store store{options};
  topic_options kept{.history_size = 1'000'000, .durability = durability::disk};
  for (auto topic : {"a", "b", "c"})
    store.load(to, topic, kept);
  std::unique_lock guard{to->mutex};
  to->changed.wait(guard, [&] { return to->loaded == 3; });
  for (uint64_t i = 0;; ++i) {
    to->changed.wait(guard, [&] { return to->waiting.size() < 64; });
    auto topic = static_cast<size_t>(i % 3);
    auto x = caf::make_counted<publication>();
    x->topic = static_cast<char>('a' + topic);
    x->epoch = "e";
    x->offset = ++to->heads[topic];
    x->timestamp = 1;
    x->payload = payload::pack(x->offset);
    to->waiting.push_back(topic);
    guard.unlock();
    store.append(to, x, kept);
    guard.lock();
  }
}

// Lets it live until it has acknowledged `n` events, and kills it.
// @returns how many of each topic were acknowledged.
std::array<uint64_t, 3> publish_and_kill(const disk_store_options& options,
                                         size_t n) {
  int pipes[2];
  REQUIRE_EQ(pipe(pipes), 0);
  auto child = fork();
  if (child == 0) {
    ::close(pipes[0]);
    publish_until_killed(options, pipes[1]);
  }
  ::close(pipes[1]);
  std::array<uint64_t, 3> acknowledged = {};
  size_t seen = 0;
  char buffer[4096];
  for (;;) {
    auto got = ::read(pipes[0], buffer, sizeof(buffer));
    if (got <= 0)
      break;
    for (ssize_t i = 0; i < got; ++i)
      ++acknowledged[static_cast<size_t>(buffer[i] - 'a')];
    seen += static_cast<size_t>(got);
    if (seen >= n)
      kill(child, SIGKILL);
  }
  ::close(pipes[0]);
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status));
  return acknowledged;
}

size_t kills() {
  auto* wanted = getenv("CALLBOARD_TEST_KILLS");
  return wanted != nullptr ? static_cast<size_t>(atoi(wanted)) : 10;
}

} // namespace

BEGIN_FIXTURE_SCOPE(disk_env)

CAF_TEST(a node that is killed has lost nothing that was acknowledged) {
  stop();
  std::mt19937 random{1};
  uint64_t before[3] = {};
  for (size_t round = 0; round < kills(); ++round) {
    auto acknowledged = publish_and_kill(disk, 1 + random() % 3000);
    start();
    CHECK(store().status().up);
    for (size_t i = 0; i < 3; ++i) {
      std::string topic(1, static_cast<char>('a' + i));
      auto found = load_all(topic);
      CHECK(found.head >= before[i] + acknowledged[i]);
      auto wanted = query(topic, before[i] + 1);
      wanted.events_max = 100'000;
      wanted.bytes_max = 100'000'000;
      auto events = read_all(wanted);
      CHECK_EQ(events.size(), found.head - before[i]);
      auto next = before[i] + 1;
      auto in_order = std::ranges::all_of(events, [&](auto& x) {
        return x->offset == next
               && x->payload.template get_as<uint64_t>() == next++;
      });
      CHECK(in_order);
      before[i] = found.head;
    }
    stop();
  }
}

END_FIXTURE_SCOPE()
