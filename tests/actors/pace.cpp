#include <callboard/actors/pace.hpp>

#include <optional>
#include <string>

#include "support/test.hpp"

using namespace callboard;

namespace {

struct fixture {
  /// Sends a message of so many bytes in one frame. Returns what is to become
  /// of it: "ok", "frames 100", "bytes 5 flood".
  std::string send(size_t bytes = 1, int64_t now_ms = 0) {
    one().begin_message(bytes);
    return frame(now_ms);
  }

  /// One more frame of the same message.
  std::string frame(int64_t now_ms = 0) {
    auto x = one().take(now_ms);
    if (x.wait_ms == 0)
      return "ok";
    return std::string{to_string(x.what)} + ' ' + std::to_string(x.wait_ms)
           + (x.flood ? " flood" : "");
  }

  pace& one() {
    if (!made)
      made.emplace(options, options.frame_bytes_max, 0);
    return *made;
  }

  node_options options;
  std::optional<pace> made;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(it is needed where frames or bytes are limited) {
  CHECK(!pace::is_needed(options));
  options.publishes = {1, 1};
  options.user_connections_max = 1;
  CHECK(!pace::is_needed(options));
  options.frames = {1, 0};
  CHECK(pace::is_needed(options));
  options.frames = {0, 1};
  CHECK(!pace::is_needed(options));
  options.bytes = {1, 0};
  CHECK(pace::is_needed(options));
}

CAF_TEST(frames go on until the burst is over) {
  options.frames = {10, 2};
  CHECK_EQ(send(), "ok");
  CHECK_EQ(frame(), "ok");
  CHECK_EQ(frame(), "frames 100");
  CHECK_EQ(send(1, 99), "frames 1");
  CHECK_EQ(send(1, 100), "ok");
}

CAF_TEST(bytes are those of messages) {
  options.frame_bytes_max = 128;
  options.bytes = {1000, 300};
  CHECK_EQ(send(200), "ok");
  // Further frames of the message cost nothing more.
  CHECK_EQ(frame(), "ok");
  CHECK_EQ(send(101), "bytes 1");
  CHECK_EQ(frame(), "bytes 1");
  CHECK_EQ(send(100), "ok");
  CHECK_EQ(send(50), "bytes 50");
  CHECK_EQ(send(50, 50), "ok");
}

CAF_TEST(a message that is refused takes nothing of the frames) {
  options.frame_bytes_max = 128;
  options.frames = {10, 1};
  options.bytes = {1000, 128};
  CHECK_EQ(send(128), "ok");
  CHECK_EQ(send(128, 100), "bytes 28");
  CHECK_EQ(send(128, 128), "ok");
}

CAF_TEST(frames of refused messages are borne for so long only) {
  options.frame_bytes_max = 128;
  options.frames = {10, 2};
  options.bytes = {1000, 128};
  CHECK_EQ(send(128), "ok");
  CHECK_EQ(send(128), "bytes 128");
  CHECK_EQ(frame(), "bytes 128");
  CHECK_EQ(frame(), "bytes 128 flood");
}

CAF_TEST(the largest message fits unless a burst is set) {
  options.bytes = {10, 0};
  CHECK_EQ(send(options.frame_bytes_max), "ok");
  CHECK_EQ(send(1), "bytes 100");
  made.reset();
  options.bytes = {100'000, 0};
  CHECK_EQ(send(100'000), "ok");
  CHECK_EQ(send(1), "bytes 1");
}

CAF_TEST(as much again is borne and one more is a flood) {
  options.frames = {10, 3};
  for (auto i = 0; i < 3; ++i)
    CHECK_EQ(send(), "ok");
  for (auto i = 0; i < 3; ++i)
    CHECK_EQ(send(), "frames 100");
  CHECK_EQ(send(), "frames 100 flood");
}

CAF_TEST(a price lowers the rates and is borne beside what is beyond them) {
  options.frames = {10, 8};
  auto send_at = [this](int64_t price) {
    one().begin_message(1);
    return one().take(0, price);
  };
  CHECK_EQ(send_at(4000).wait_ms, 0);
  CHECK_EQ(send_at(4000).wait_ms, 0);
  // Six that the full price would let through, and as many as are borne.
  for (auto i = 0; i < 6 + 8; ++i) {
    auto verdict = send_at(4000);
    CHECK_EQ(verdict.wait_ms, 400);
    CHECK(!verdict.flood);
  }
  CHECK(send_at(4000).flood);
}

CAF_TEST(twice the rate is borne for ever at any price) {
  options.frames = {10, 2};
  auto flood_at = [this](int64_t t) {
    one().begin_message(1);
    return one().take(t, 4000).flood;
  };
  // One in 50 ms.
  for (int64_t t = 0; t < 100'000; t += 50)
    CHECK(!flood_at(t));
  // One in 40 ms is more.
  auto flood = false;
  int64_t t = 100'000;
  for (; t < 200'000 && !flood; t += 40)
    flood = flood_at(t);
  CHECK_LT(t, 101'000);
}

CAF_TEST(messages that are refused for the price alone are no flood either) {
  options.frame_bytes_max = 128;
  options.frames = {10, 2};
  options.bytes = {1000, 400};
  // One in 50 ms is twice the rate, of bytes and of frames.
  auto refused = 0;
  for (int64_t t = 0; t < 20'000; t += 50) {
    one().begin_message(100);
    auto verdict = one().take(t, 4000);
    CHECK(!verdict.flood);
    refused += verdict.wait_ms > 0 ? 1 : 0;
  }
  CHECK_EQ(refused, 350);
}

CAF_TEST(bytes have the same price) {
  options.frame_bytes_max = 128;
  options.bytes = {1000, 400};
  one().begin_message(100);
  CHECK_EQ(one().take(0, 4000).wait_ms, 0);
  one().begin_message(100);
  auto verdict = one().take(0, 4000);
  CHECK_EQ(verdict.wait_ms, 400);
  CHECK(verdict.what == limit_kind::bytes);
}

CAF_TEST(twice the rate is borne for ever) {
  options.frames = {10, 1};
  // One in 50 ms: every second one is refused.
  for (int64_t t = 0; t < 100'000; t += 50)
    CHECK_EQ(send(1, t), t % 100 == 0 ? "ok" : "frames 50");
  // One in 40 ms is more.
  std::string verdict;
  int64_t t = 100'000;
  for (; t < 200'000 && verdict.find("flood") == std::string::npos; t += 40)
    verdict = send(1, t);
  CHECK_LT(t, 101'000);
}

CAF_TEST(other limits bring no burst) {
  options.frame_bytes_max = 128;
  options.frames = {10, 2};
  options.bytes = {1000, 200};
  CHECK_EQ(send(100), "ok");
  CHECK_EQ(send(100), "ok");
  options.frames = {100, 50};
  one().change(options, options.frame_bytes_max, 0);
  CHECK_EQ(send(100), "bytes 100");
  CHECK_EQ(send(1, 1), "frames 9");
  options.frames = {};
  options.bytes = {};
  one().change(options, options.frame_bytes_max, 1);
  CHECK_EQ(send(1'000'000, 1), "ok");
}

CAF_TEST(too many bytes are a flood as well) {
  options.frame_bytes_max = 128;
  options.bytes = {1000, 128};
  CHECK_EQ(send(128), "ok");
  CHECK_EQ(send(128), "bytes 128");
  // The frames of one message count once.
  CHECK_EQ(frame(), "bytes 128");
  CHECK_EQ(send(128), "bytes 128 flood");
}

END_FIXTURE_SCOPE()
