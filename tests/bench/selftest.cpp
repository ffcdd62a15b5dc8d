// Tests the load generator: its parts alone, then each mode for a moment
// against the bare baseline.
//
//   bench_selftest PATH_OF_BARE

#include "selftest.hpp"

#include <chrono>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>

#include "bench/bench.hpp"
#include "bench/report.hpp"
#include "bench/topic_load.hpp"
#include "child.hpp"

using namespace callboard::cmd;
using namespace callboard::cmd::bench;
using namespace std::string_literals;

namespace {

int failures = 0;

// -- parts --------------------------------------------------------------------

void histogram_is_within_its_precision() {
  auto values = std::make_unique<histogram>();
  check_that(values->percentile(0.5) == 0, "an empty histogram has no median");
  for (int i = 1; i <= 100'000; ++i)
    values->record(i);
  for (auto share : {0.01, 0.5, 0.9, 0.99, 0.999}) {
    auto exact = share * 100'000;
    auto found = static_cast<double>(values->percentile(share));
    check_that(found >= exact && found <= exact * 1.016 + 1,
               "percentile " + std::to_string(share) + " is "
                 + std::to_string(found));
  }
  check_that(values->min() == 1, "the smallest value is exact");
  values->record(int64_t{1} << 50);
  check_that(values->percentile(1) == uint64_t{1} << 50
               && values->max() == uint64_t{1} << 50,
             "the largest value is exact");
}

void ledger_counts_losses_and_order() {
  tally counts;
  order_ledger ledger{2, 2};
  auto take = [&](size_t subscriber, uint32_t source, uint32_t sequence,
                  uint64_t offset) {
    ledger.take(counts, subscriber, {source, sequence, 0}, offset);
  };
  take(0, 0, 1, 1);
  take(0, 1, 1, 2);
  take(0, 0, 2, 3);
  check_that(counts.lost == 0 && counts.misordered == 0, "in order is fine");
  take(0, 0, 5, 6);
  check_that(counts.lost == 2, "two were passed over");
  take(0, 0, 4, 7);
  check_that(counts.misordered == 1, "one came too late");
  take(0, 1, 2, 5);
  check_that(counts.misordered == 2, "an offset went back");
  take(1, 0, 1, 1);
  ledger.close(counts, 1, 0, 4);
  check_that(counts.lost == 5, "the last three never came");
}

void frames_are_read_whole_or_not_at_all() {
  // An event with a nested payload, two meta keys and a seventh element.
  auto bytes = "\x97\x0b\x00\xd3\0\0\0\0\0\0\0\1\xa1t"
               "\x82\xa1k\x92\xc0\xcb\0\0\0\0\0\0\0\0\xa1l\xc4\1x"
               "\x82\x06\xa1u\x01\xcd\1\2\xc3"s;
  auto first = reinterpret_cast<const uint8_t*>(bytes.data());
  auto last = first + bytes.size();
  frame_view frame;
  auto at = first;
  check_that(read_frame(at, last, frame) && at == last && frame.type == 11
               && frame.subject == "t" && frame.offset == 258,
             "a frame is read to its end");
  for (auto end = first; end != last; ++end) {
    at = first;
    check_that(!read_frame(at, end, frame),
               "a frame cut at byte " + std::to_string(end - first));
  }
}

void positions_are_asked_for_and_read() {
  std::string message;
  append_subscribe(message, 1, 2, "t", {"ep", 258});
  auto meta = "\x81\x03\x92\xa2"s + "ep\xcf\0\0\0\0\0\0\1\2"s;
  check_that(message.ends_with("\xc0" + meta)
               && message[6] == static_cast<char>(0x96),
             "a subscriber says where it was");
  topic_position read;
  auto answer = "\x83\xa6offset\xcd\1\2\xa9recovered\xc3\xa5"
                "epoch\xa2"
                "ep"s;
  check_that(read_position(answer, read) && read.epoch == "ep"
               && read.offset == 258 && read.recovered,
             "a position is read");
  check_that(!read_position("\x81\xa6offset\1"s, read = {}),
             "a position has an epoch");
}

// -- modes --------------------------------------------------------------------

bench_options brief(bench_mode mode, const std::string& url) {
  bench_options result;
  result.mode = mode;
  result.url = url;
  result.warmup_s = 0.05;
  result.duration_s = 0.2;
  result.quiet = true;
  return result;
}

void runs_clean(const std::string& name, const bench_options& opts) {
  auto result = measure(opts);
  fprintf(stderr, "-- %s\n%s", name.c_str(), summary(opts, result).c_str());
  auto& counts = result.counts;
  check_that(result.failure.empty(), name + ": " + result.failure);
  check_that(result.clean(), name + ": " + counts.trouble);
  if (opts.mode == bench_mode::idle)
    return;
  check_that(counts.delivered > 0, name + ": nothing was delivered");
  // At a rate, those count as well that were in flight at the end.
  check_that(opts.rate > 0 ? counts.latency.count() >= result.window.delivered
                           : counts.latency.count() == result.window.delivered,
             name + ": not every latency was counted");
  auto receivers = opts.mode == bench_mode::fanout  ? opts.connections
                   : opts.mode == bench_mode::rooms ? opts.members
                                                    : 1;
  check_that(counts.delivered == counts.published * receivers,
             name + ": published and delivered do not match");
}

void every_mode(const child& server) {
  auto url = server.url("/ws");
  auto opts = brief(bench_mode::echo, url);
  opts.connections = 20;
  runs_clean("requests", opts);
  auto cold = opts;
  cold.warmup_s = 0;
  runs_clean("requests without a warm-up", cold);
  opts.window = 16;
  opts.threads = 2;
  runs_clean("requests, window 16, two threads", opts);
  opts.window = 4;
  opts.websocket_echo = "/echo";
  opts.payload_bytes = 70'000;
  runs_clean("large messages back", opts);

  opts = brief(bench_mode::echo, url);
  opts.connections = 20;
  opts.rate = 2000;
  runs_clean("requests at a rate", opts);
  opts.window = 16;
  opts.threads = 3;
  runs_clean("requests at a rate, window 16, three threads", opts);

  opts = brief(bench_mode::fanout, url);
  opts.connections = 200;
  opts.publishers = 3;
  opts.window = 16;
  runs_clean("fan-out", opts);
  opts.threads = 2;
  opts.window = 1;
  runs_clean("fan-out, two threads", opts);
  opts.rate = 500;
  runs_clean("fan-out at a rate", opts);

  opts = brief(bench_mode::rooms, url);
  opts.rooms = 10;
  opts.members = 5;
  opts.threads = 3;
  runs_clean("rooms", opts);

  opts = brief(bench_mode::idle, url);
  opts.connections = 300;
  opts.connect_rate = 3000;
  opts.topics = 7;
  opts.server_pid = server.pid();
  runs_clean("idle", opts);
}

void a_rate_is_never_exceeded(const child& server, bench_mode mode) {
  using clock = std::chrono::steady_clock;
  auto opts = brief(mode, server.url("/ws"));
  opts.connections = 1;
  opts.rate = 200;
  auto start = clock::now();
  auto count = static_cast<double>(measure(opts).counts.published);
  std::chrono::duration<double> seconds = clock::now() - start;
  check_that(count > 0 && count <= 200 * seconds.count() + 1,
             "200/s made " + std::to_string(count) + " in "
               + std::to_string(seconds.count()) + " s");
}

void fails_with(const std::string& word, const bench_options& opts) {
  auto failure = measure(opts).failure;
  check_that(failure.find(word) != std::string::npos,
             "expected a failure with '" + word + "', got '" + failure + "'");
}

void failures_are_named(const child& server) {
  auto refused = server.url("/ws");
  refused = refused.substr(0, refused.rfind(':')) + ":1/ws";
  fails_with("refused", brief(bench_mode::echo, refused));
  fails_with("ws://", brief(bench_mode::echo, "http://127.0.0.1/"));
  fails_with("port", brief(bench_mode::echo, "ws://127.0.0.1:99999/"));
  auto opts = brief(bench_mode::idle, server.url("/ws"));
  opts.connections = 900'000;
  fails_with("open files", opts);
  opts = brief(bench_mode::echo, server.url("/ws"));
  opts.payload_bytes = 15;
  fails_with("--payload", opts);
  opts = brief(bench_mode::echo, server.url("/ws"));
  opts.stalled = 1;
  fails_with("--stalled", opts);
  opts.stalled = 0;
  opts.rate = 1;
  opts.websocket_echo = "/echo";
  fails_with("--rate", opts);
}

} // namespace

void check_that(bool holds, const std::string& what) {
  if (holds)
    return;
  ++failures;
  fprintf(stderr, "FAILED: %s\n", what.c_str());
}

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: bench_selftest PATH_OF_BARE\n");
    return 2;
  }
  histogram_is_within_its_precision();
  ledger_counts_losses_and_order();
  frames_are_read_whole_or_not_at_all();
  positions_are_asked_for_and_read();
  try {
    test_dialects();
    child bare{{argv[1], "--port", "0"}};
    every_mode(bare);
    a_rate_is_never_exceeded(bare, bench_mode::fanout);
    a_rate_is_never_exceeded(bare, bench_mode::echo);
    test_bystanders(bare.url("/ws"));
    test_late_answers(bare);
    failures_are_named(bare);
    child coalescing{{argv[1], "--port", "0", "--coalesce"}};
    every_mode(coalescing);
  } catch (const std::exception& what) {
    check_that(false, what.what());
  }
  return failures == 0 ? 0 : 1;
}
