// Counts what a steady fan-out allocates, and what a member of a topic costs.
// The global operator new of this program is replaced; it counts only while a
// test asks for it.

#include <callboard/actors/action_guards.hpp>
#include <callboard/actors/cluster/loop_peers.hpp>
#include <callboard/actors/cluster/peer_topic_frames.hpp>
#include <callboard/actors/presence_registry.hpp>

#include "support/node_fixture.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

#include <malloc.h>

#include "support/test.hpp"

namespace {

std::atomic<bool> counting{false};
std::atomic<size_t> allocations{0};
std::atomic<size_t> allocated_bytes{0};

// Not inlined, so that the compiler does not match new with free.
[[gnu::noinline]] void* allocate(size_t n, size_t alignment = 0) {
  if (counting.load(std::memory_order_relaxed))
    allocations.fetch_add(1, std::memory_order_relaxed);
  auto* result = alignment == 0
                   ? std::malloc(n)
                   : std::aligned_alloc(alignment, (n + alignment - 1)
                                                     / alignment * alignment);
  if (result == nullptr)
    throw std::bad_alloc{};
  if (counting.load(std::memory_order_relaxed))
    allocated_bytes.fetch_add(malloc_usable_size(result),
                              std::memory_order_relaxed);
  return result;
}

[[gnu::noinline]] void release(void* x) noexcept {
  if (counting.load(std::memory_order_relaxed))
    allocated_bytes.fetch_sub(malloc_usable_size(x), std::memory_order_relaxed);
  std::free(x);
}

} // namespace

void* operator new(size_t n) {
  return allocate(n);
}

void* operator new[](size_t n) {
  return allocate(n);
}

void* operator new(size_t n, std::align_val_t alignment) {
  return allocate(n, static_cast<size_t>(alignment));
}

void* operator new[](size_t n, std::align_val_t alignment) {
  return allocate(n, static_cast<size_t>(alignment));
}

void* operator new(size_t n, const std::nothrow_t&) noexcept {
  return allocate(n);
}

void* operator new[](size_t n, const std::nothrow_t&) noexcept {
  return allocate(n);
}

void operator delete(void* x) noexcept {
  release(x);
}

void operator delete[](void* x) noexcept {
  release(x);
}

void operator delete(void* x, size_t) noexcept {
  release(x);
}

void operator delete[](void* x, size_t) noexcept {
  release(x);
}

void operator delete(void* x, std::align_val_t) noexcept {
  release(x);
}

void operator delete[](void* x, std::align_val_t) noexcept {
  release(x);
}

void operator delete(void* x, size_t, std::align_val_t) noexcept {
  release(x);
}

void operator delete[](void* x, size_t, std::align_val_t) noexcept {
  release(x);
}

void operator delete(void* x, const std::nothrow_t&) noexcept {
  release(x);
}

void operator delete[](void* x, const std::nothrow_t&) noexcept {
  release(x);
}

using namespace callboard;

namespace {

/// Returns how many allocations `f` makes.
template <class F>
size_t count(F&& f) {
  allocations = 0;
  counting = true;
  f();
  counting = false;
  return allocations;
}

struct fixture : node_fixture {
  /// Lets `n` clients, and nobody else, subscribe. Their sockets forget what
  /// they get.
  void subscribe(size_t n) {
    for (auto& x : clients)
      x->say(frame_type::unsubscribe, 0, "news");
    while (clients.size() < n)
      connect().socket.deaf = true;
    turn();
    for (size_t i = 0; i < n; ++i)
      clients[i]->say(frame_type::subscribe, 1, "news");
    turn();
  }

  /// Publishes in `turns` turns, `window` events each, over the whole way from
  /// the publisher's frame to the subscribers' sockets.
  void publish(size_t turns, size_t window) {
    for (size_t i = 0; i < turns; ++i) {
      for (size_t k = 0; k < window; ++k)
        clients[0]->say_bytes(frame);
      turn();
    }
  }

  size_t deliveries() const {
    return static_cast<size_t>(loops[0]->metrics.deliveries->value());
  }

  std::string frame;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(the counter counts) {
  CHECK_EQ(count([] {}), 0u);
  std::vector<std::unique_ptr<int>> kept;
  kept.reserve(2);
  CHECK_EQ(count([&] {
             kept.push_back(std::make_unique<int>(1));
             kept.push_back(std::make_unique<int>(2));
           }),
           2u);
}

CAF_TEST(a delivery in a steady fan - out allocates nothing) {
  start();
  auto& publisher = connect();
  frame_view x;
  x.type = frame_type::publish;
  x.subject = "news";
  auto content = text(std::string(128, 'x'));
  x.payload = content.view();
  frame = publisher.encode(x);
  publisher.socket.deaf = true;
  for (size_t window : {1, 16}) {
    static constexpr size_t turns = 64;
    std::vector<size_t> allocated;
    std::vector<size_t> delivered;
    for (size_t subscribers : {1, 1000}) {
      subscribe(subscribers);
      publish(turns, window);
      auto before = deliveries();
      allocated.push_back(count([&] { publish(turns, window); }));
      delivered.push_back(deliveries() - before);
    }
    CHECK_EQ(delivered[0], turns * window);
    CHECK_EQ(delivered[1], turns * window * 1000);
    CHECK_EQ(allocated[1], allocated[0]);
  }
}

CAF_TEST(to publish for a tenant alone allocates no more) {
  node.rights.authenticate = [](const credentials&) -> caf::expected<identity> {
    return identity{"ann", "acme"};
  };
  start();
  auto& publisher = open(0, {}, true);
  publisher.say(frame_type::connect, 1, "", *payload::from_json("{}"));
  turn();
  publisher.socket.deaf = true;
  frame_view x;
  x.type = frame_type::publish;
  x.subject = "a topic whose name is not a short one";
  frame = publisher.encode(x);
  std::vector<size_t> allocated;
  for (auto isolated : {false, true}) {
    node.options.tenant_isolation = isolated;
    publish(64, 16);
    allocated.push_back(count([&] { publish(64, 16); }));
  }
  CHECK(allocated[0] > 0);
  CHECK_EQ(allocated[1], allocated[0]);
}

CAF_TEST(sharing out an event allocates nothing at all) {
  start();
  auto& ctx = *loops[0];
  subscribe(1000);
  auto x = caf::make_counted<publication>();
  x->topic = "news";
  x->epoch = "run.1";
  x->sender = "alice";
  x->payload = text(std::string(128, 'x'));
  auto deliver = [&](size_t times) {
    for (size_t i = 0; i < times; ++i) {
      ++x->offset;
      CHECK_EQ(ctx.topics.deliver(x), 1000u);
    }
    ctx.flush();
  };
  for (size_t window : {1, 16}) {
    deliver(window);
    CHECK_EQ(count([&] { deliver(window); }), 0u);
    auto& last = *clients.back();
    last.socket.deaf = false;
    deliver(window);
    CHECK_EQ(last.take().size(), window);
    last.socket.deaf = true;
  }
}

CAF_TEST(what a turn has for a shard of another node is one allocation) {
  auto nodes = caf::make_counted<peer_set>();
  nodes->slots.push_back(
    peer_node{member{"there", "1", {}, 1, member_state::up}, nullptr, 0,
              std::make_shared<link_traffic>()});
  loop_peers peers;
  peers.install(nodes);
  auto x = caf::make_counted<publication>();
  x->topic = "a topic whose name is not a short one";
  x->payload = text(std::string(128, 'x'));
  auto turn_of = [&](size_t frames) {
    for (size_t i = 0; i < frames; ++i)
      peers.send(shard_kind::broker, 0, x->topic, peer_event{{x, 0}});
    peers.flush();
  };
  for (size_t frames : {1, 16, 128}) {
    turn_of(frames);
    CHECK_EQ(count([&] { turn_of(frames); }), 1u);
  }
}

CAF_TEST(a member of one hundred thousand costs a few hundred bytes) {
  presence_registry registry{{5'000, 250, 100'000}};
  allocated_bytes = 0;
  for (connection_id first = 1; first < 100'000; first += 1000) {
    std::vector<presence_change> changes;
    for (connection_id id = first; id < first + 1000; ++id)
      changes.push_back({presence_change::kind::join, "room", id,
                         "user" + std::to_string(1'000'000 + id)});
    count([&] {
      for (auto& x : changes)
        registry.apply(x, {}, 0);
    });
  }
  CHECK_EQ(registry.members(), 100'000u);
  MESSAGE("bytes each: " << allocated_bytes / 100'000);
  CHECK(allocated_bytes / 100'000 <= 300);
}

CAF_TEST(holding a request to a rule allocates nothing) {
  action_options options;
  options.rate = {1'000'000};
  options.breaker = true;
  action_guards guards{{{"#", options}}, 2};
  std::string action = "an action whose name is long enough";
  action_guard::time_point now{std::chrono::hours{1000}};
  guards.add(action, guards.rules()[0], now);
  guards.add("another", guards.rules()[0], now);
  auto answered = request_outcome::answer(text("x"));
  auto passed = 0;
  CHECK_EQ(count([&] {
             for (int i = 0; i < 1000; ++i) {
               now += std::chrono::milliseconds{50};
               auto* guard = guards.find(action);
               passed += guard->check(now) ? 0 : 1;
               std::weak_ptr<action_guard> held = guard->weak_from_this();
               auto round = guard->begin();
               held.lock()->finish(round, answered, now - now, now);
             }
           }),
           0u);
  CHECK_EQ(passed, 1000);
}

CAF_TEST(a check of rights allocates nothing) {
  auto rights = std::make_shared<grants>();
  for (auto what : {operation::subscribe, operation::publish})
    for (auto pattern : {"a/topic/whose/name/is/long/enough", "rooms/+", "x/#"})
      rights->add(what, pattern);
  node.rights.authorize = [](const identity& who, operation what,
                             std::string_view subject) {
    return who.rights->allows(what, subject);
  };
  identity who{"a user whose name is long enough", "a tenant with a long name"};
  who.rights = rights;
  auto allowed = 0;
  CHECK_EQ(count([&] {
             for (auto subject :
                  {"a/topic/whose/name/is/long/enough", "rooms/of/no/interest",
                   "rooms/with-a-name-that-is-long-enough", "x/+"})
               allowed
                 += node.rights.authorize(who, operation::publish, subject) ? 1
                                                                            : 0;
           }),
           0u);
  CHECK_EQ(allowed, 3);
}

END_FIXTURE_SCOPE()
