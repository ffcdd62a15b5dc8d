// The client on a context of the application's, without a server.

#include <callboard/net/async_client.hpp>

#include <callboard/messages/errc.hpp>
#include <callboard/net/async_client_parts.hpp>
#include <callboard/net/boost/coroutine.hpp>
#include <callboard/net/client_error.hpp>

#include "support/test.hpp"

using namespace callboard;
using namespace callboard::net;
using namespace std::chrono_literals;

namespace {

using lines = std::vector<std::string>;

// Takes a handler by moving only.
struct only_moves {
  explicit only_moves(lines& x) : log{&x} {
  }

  only_moves(only_moves&& x) = default;

  void operator()(const caf::expected<payload>& x) {
    log->push_back(details(x.error()).name);
  }

  lines* log;
};

struct fixture {
  fixture()
    : uut{std::make_unique<async_client>(context.get_executor(),
                                         client_options{})} {
  }

  ~fixture() {
    uut = nullptr;
    run();
  }

  void run() {
    context.restart();
    context.poll();
  }

  template <class T>
  auto note(std::string what) {
    return [this, what = std::move(what)](const caf::expected<T>& x) {
      log.push_back(what + (x ? "" : ' ' + details(x.error()).name));
    };
  }

  template <class Token>
  auto ask(call_options bounds, Token&& token) {
    return uut->async_request("a", {}, {}, std::move(bounds),
                              std::forward<Token>(token));
  }

  lines take_log() {
    return std::exchange(log, {});
  }

  asio::io_context context;
  std::unique_ptr<async_client> uut;
  lines log;
};

struct subscription_fixture : fixture {
  subscription_fixture() {
    core = client_core::make(context.get_executor(), {}, {}, {});
    state = std::make_shared<async_subscription::state>(core, "t", 2);
  }

  void event(uint64_t offset) {
    event_view x;
    x.topic = "t";
    x.offset = offset;
    state->on_event(x);
  }

  auto received(std::string what) {
    return [this, what = std::move(what)](const caf::expected<delivery>& x) {
      if (!x)
        log.push_back(what + details(x.error()).name);
      else
        log.push_back(what + std::to_string(x->what.offset)
                      + (x->gap.empty() ? "" : ' ' + x->gap));
    };
  }

  std::shared_ptr<client_core> core;
  std::shared_ptr<async_subscription::state> state;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(async_client_tests, fixture)

CAF_TEST(nothing completes within the function that begins it) {
  ask({}, note<payload>("a"));
  run();
  CAF_CHECK_EQUAL(take_log(), lines{});
  uut->async_close(note<void>("closed"));
  CAF_CHECK_EQUAL(take_log(), lines{});
  run();
  CAF_CHECK_EQUAL(take_log(), (lines{"a cancelled", "closed"}));
  ask({}, note<payload>("b"));
  CAF_CHECK_EQUAL(take_log(), lines{});
  run();
  CAF_CHECK_EQUAL(take_log(), lines{"b cancelled"});
}

CAF_TEST(what waits fails when the client goes) {
  ask({}, only_moves{log});
  uut->async_publish("t", {}, {}, {}, note<net::position>("p"));
  uut->async_notify("n", {}, {}, note<void>("n"));
  uut->async_notify("m", {}, note<void>("m"));
  uut->async_subscribe("s", {}, {}, note<async_subscription>("s"));
  uut->async_respond("r", {}, note<void>("r"));
  run();
  uut = nullptr;
  CAF_CHECK_EQUAL(take_log(), lines{});
  run();
  CAF_CHECK_EQUAL(take_log(),
                  (lines{"cancelled", "p cancelled", "n cancelled",
                         "m cancelled", "s cancelled", "r cancelled"}));
}

CAF_TEST(a stop token cancels) {
  std::stop_source source;
  ask({.stop = source.get_token()}, note<payload>("a"));
  ask({}, note<payload>("b"));
  run();
  source.request_stop();
  CAF_CHECK_EQUAL(take_log(), lines{});
  run();
  CAF_CHECK_EQUAL(take_log(), lines{"a cancelled"});
  // One that has stopped before, too.
  ask({.stop = source.get_token()}, note<payload>("c"));
  uut->async_subscribe("t", {}, {.stop = source.get_token()},
                       note<async_subscription>("s"));
  run();
  CAF_CHECK_EQUAL(take_log(), (lines{"c cancelled", "s cancelled"}));
  // The subject is free again.
  uut->async_subscribe("t", {}, {}, note<async_subscription>("s"));
  run();
  CAF_CHECK_EQUAL(take_log(), lines{});
}

CAF_TEST(an operation has an end) {
  ask({.timeout = 1ms}, note<payload>("a"));
  context.restart();
  context.run_one_for(10s);
  while (log.empty() && context.run_one_for(10s) > 0) {
    // The timer comes.
  }
  CAF_CHECK_EQUAL(take_log(), lines{"a timeout"});
}

CAF_TEST(there is one subscription to a subject) {
  uut->async_subscribe("t", {}, {}, note<async_subscription>("1"));
  uut->async_subscribe("t", {}, {}, note<async_subscription>("2"));
  run();
  CAF_CHECK_EQUAL(take_log(), lines{"2 already_subscribed"});
}

CAF_TEST(results can be futures) {
  auto x = ask({}, asio::use_future);
  uut = nullptr;
  run();
  // Asio fulfils it on a thread of its own.
  CAF_REQUIRE(x.wait_for(10s) == std::future_status::ready);
  CAF_CHECK_EQUAL(errc_of(x.get().error()), errc::cancelled);
}

CAF_TEST(handlers are called on their executor) {
  asio::io_context other;
  ask({}, asio::bind_executor(other.get_executor(), note<payload>("a")));
  uut = nullptr;
  run();
  CAF_CHECK_EQUAL(take_log(), lines{});
  CAF_CHECK_GREATER(other.run(), 0u);
  CAF_CHECK_EQUAL(take_log(), lines{"a cancelled"});
}

#ifdef BOOST_ASIO_HAS_CO_AWAIT

CAF_TEST(results can be awaited) {
  auto life = [this]() -> asio::awaitable<void> {
    auto x = co_await uut->async_publish("t", payload::pack(1),
                                         asio::use_awaitable);
    log.push_back(details(x.error()).name);
  };
  asio::co_spawn(context, life, asio::detached);
  run();
  CAF_CHECK_EQUAL(take_log(), lines{});
  uut->async_close(note<void>("closed"));
  run();
  CAF_CHECK_EQUAL(take_log(), (lines{"cancelled", "closed"}));
}

#endif

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST_FIXTURE_SCOPE(async_subscription_tests, subscription_fixture)

CAF_TEST(events are received in their order) {
  async_subscription uut{state};
  event(1);
  uut.async_receive(received("a"));
  uut.async_receive(received("b"));
  run();
  CAF_CHECK_EQUAL(take_log(), lines{"a1"});
  event(2);
  run();
  CAF_CHECK_EQUAL(take_log(), lines{"b2"});
}

CAF_TEST(the event behind a gap tells of it) {
  async_subscription uut{state};
  state->on_gap("events lost");
  event(3);
  event(4);
  for (auto i = 0; i < 2; ++i)
    uut.async_receive(received(""));
  run();
  CAF_CHECK_EQUAL(take_log(), (lines{"3 events lost", "4"}));
  for (uint64_t offset : {5, 6, 7})
    event(offset);
  for (auto i = 0; i < 2; ++i)
    uut.async_receive(received(""));
  run();
  CAF_CHECK_EQUAL(take_log(), (lines{"6 buffer full", "7"}));
}

CAF_TEST(a receive can be taken back) {
  async_subscription uut{state};
  std::stop_source source;
  uut.async_receive({.stop = source.get_token()}, received("a "));
  uut.async_receive(received("b "));
  run();
  source.request_stop();
  run();
  CAF_CHECK_EQUAL(take_log(), lines{"a cancelled"});
  event(1);
  run();
  CAF_CHECK_EQUAL(take_log(), lines{"b 1"});
}

CAF_TEST(who receives hears of the end) {
  async_subscription uut{state};
  state->standing = true;
  uut.async_receive(received("a "));
  run();
  uut.cancel();
  run();
  CAF_CHECK_EQUAL(take_log(), lines{"a cancelled"});
  CAF_CHECK(!state->standing);
  state->close(caf::make_error(errc::forbidden));
  uut.async_receive(received("b "));
  run();
  CAF_CHECK_EQUAL(take_log(), lines{"b cancelled"});
}

CAF_TEST(notes that were dropped are a reset) {
  using kind = presence_note::kind;
  async_subscription uut{state};
  for (auto user : {"ann", "bob", "cyd"})
    state->on_presence({"t", {{kind::join, user, "c"}}});
  std::vector<presence_note> got;
  uut.async_receive_presence(
    [&got](const caf::expected<std::vector<presence_note>>& x) { got = *x; });
  run();
  std::vector<presence_note> want{{}, {kind::join, "bob", "c"}};
  CAF_CHECK(got == want);
}

CAF_TEST_FIXTURE_SCOPE_END()
