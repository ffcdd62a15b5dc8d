#include <callboard/net/client_threads.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <thread>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <callboard/net/client_error.hpp>
#include <callboard/net/client_pool.hpp>
#include <callboard/net/client_pool_upkeep.hpp>
#include <callboard/net/client_pools.hpp>
#include <callboard/net/server.hpp>

#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

namespace {

// What is waited for comes much sooner, or never.
constexpr auto patience = 60s;

/// A server with an actor system of its own.
struct node {
  explicit node(uint16_t port) {
    net::server_options options;
    options.port = port;
    options.loops = 1;
    auto x = net::server::start(sys, options);
    CAF_REQUIRE(x);
    server = std::move(*x);
  }

  caf::actor_system_config config;
  caf::actor_system sys{config};
  std::unique_ptr<net::server> server;
};

template <class F>
bool comes_true(F f) {
  auto end = std::chrono::steady_clock::now() + patience;
  while (!f()) {
    if (std::chrono::steady_clock::now() > end)
      return false;
    std::this_thread::sleep_for(10ms);
  }
  return true;
}

/// Asks the server for an echo; a client that ends meanwhile counts as none.
bool echo(const net::lease& x) {
  auto client = net::client_of(x);
  if (!client)
    return false;
  auto told = std::make_shared<std::promise<bool>>();
  auto answer = told->get_future();
  client->post([client, told] {
    client->request("callboard.echo", payload::pack("hi"), 5s,
                    [told](const caf::expected<payload>& y) {
                      told->set_value(static_cast<bool>(y));
                    });
  });
  return answer.wait_for(patience) == std::future_status::ready && answer.get();
}

struct fixture {
  fixture() {
    options.idle_min = 2;
    options.idle_max = options.total_max = 4;
    options.ping_interval = 100ms;
    options.circuit.open_time = 100ms;
    options.circuit.open_time_max = 200ms;
  }

  net::client_factory factory() {
    return [this] {
      net::client_options x;
      x.server.host = "127.0.0.1";
      x.server.port = port;
      return threads.make(x);
    };
  }

  uint16_t port = 0;
  net::client_pool_options options;
  net::client_threads threads;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(server_tests, fixture)

CAF_TEST(a pool comes back with its server) {
  auto first = std::make_unique<node>(0);
  port = first->server->port();
  {
    net::client_pool pool{options, factory()};
    net::client_pool_upkeep upkeep{[&] { pool.tick(); }, 10ms};
    CAF_REQUIRE(comes_true([&] { return pool.stats().idle == 2; }));
    auto held = pool.borrow(patience);
    CAF_REQUIRE(held);
    CAF_CHECK(echo(*held));
    first.reset();
    CAF_CHECK(comes_true(
      [&] { return (*held)->state() == net::pooled_state::broken; }));
    CAF_CHECK((*held)->failure());
    held->give_back();
    // All are found to be lost, and no other comes about.
    CAF_CHECK(comes_true([&] {
      auto x = pool.try_borrow();
      return !x && pool.stats().circuit_openings > 0;
    }));
    CAF_CHECK(pool.stats().closed_by(net::close_cause::broken) > 0);
    node second{port};
    CAF_CHECK(comes_true([&] {
      auto x = pool.try_borrow();
      return x && echo(*x);
    }));
    CAF_CHECK(comes_true([&] { return pool.stats().idle >= 2; }));
  }
  CAF_CHECK(comes_true([&] { return threads.size() == 0; }));
}

CAF_TEST(pools of several authorities share a server) {
  node only{0};
  port = only.server->port();
  net::client_pools_options all;
  all.targets = {"http://127.0.0.1:" + std::to_string(port)};
  all.pool = options;
  net::client_pools pools{all, [make = factory()](const std::string&,
                                                  const std::string&) {
                            return make();
                          }};
  net::client_pool_upkeep upkeep{[&] { pools.tick(); }, 10ms};
  auto x = pools.borrow("acme", "", patience);
  auto y = pools.borrow("ajax", "", patience);
  CAF_REQUIRE(x);
  CAF_REQUIRE(y);
  CAF_CHECK(net::client_of(*x) != net::client_of(*y));
  CAF_CHECK(echo(*x));
  CAF_CHECK(echo(*y));
  CAF_CHECK_EQUAL(pools.size(), 2u);
}

CAF_TEST(a client that is closed has its answers first) {
  node only{0};
  port = only.server->port();
  net::client_pool pool{options, factory()};
  net::client_pool_upkeep upkeep{[&] { pool.tick(); }, 10ms};
  auto x = pool.borrow(patience);
  CAF_REQUIRE(x);
  auto client = net::client_of(*x);
  auto told = std::make_shared<std::promise<bool>>();
  auto answer = told->get_future();
  client->post([client, told] {
    client->request("callboard.echo", payload::pack("hi"), 5s,
                    [told](const caf::expected<payload>& y) {
                      told->set_value(static_cast<bool>(y));
                    });
  });
  x->mark_broken();
  x->give_back();
  CAF_REQUIRE(answer.wait_for(patience) == std::future_status::ready);
  CAF_CHECK(answer.get());
}

CAF_TEST_FIXTURE_SCOPE_END()
