#include <callboard/cmd/load_settings.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include <callboard/cmd/serve_options.hpp>

#include "support/test.hpp"

using namespace callboard::cmd;
using namespace std::chrono_literals;

namespace {

struct fixture {
  /// Sets one of the settings of `callboard serve`. Returns what is wrong.
  std::string set(const std::string& name, const std::string& value) {
    auto table = serve_settings(options);
    auto i = std::ranges::find(table, name, &setting::name);
    CAF_REQUIRE(i != table.end());
    if (auto wrong = i->set(value); !wrong.empty())
      return wrong;
    return check(options);
  }

  std::string show(const std::string& name) {
    auto table = serve_settings(options);
    return std::ranges::find(table, name, &setting::name)->show();
  }

  serve_options options;

  callboard::load_options& load = options.server.node.load;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(load_settings_tests, fixture)

CAF_TEST(the defaults) {
  CAF_CHECK_EQUAL(check(options), "");
  CAF_CHECK_EQUAL(show("load-high"), "0.9");
  CAF_CHECK_EQUAL(show("load-low"), "0.7");
  CAF_CHECK_EQUAL(show("load-weights"),
                  "turn=1,queue=1,outbox=0,cpu=0,memory=1");
  CAF_CHECK_EQUAL(show("load-turn-max"), "100ms");
  CAF_CHECK_EQUAL(show("load-outbox-bytes-max"), "1GiB");
  CAF_CHECK_EQUAL(show("load-memory-max"), "0B");
  CAF_CHECK_EQUAL(show("accept-wait"), "0s");
  CAF_CHECK_EQUAL(show("accept-queue-max"), "1000");
}

CAF_TEST(each is taken) {
  CAF_CHECK_EQUAL(set("load-low", "0.25"), "");
  CAF_CHECK_EQUAL(set("load-high", "0.5"), "");
  CAF_CHECK_EQUAL(set("load-turn-max", "250ms"), "");
  CAF_CHECK_EQUAL(set("load-outbox-bytes-max", "64KiB"), "");
  CAF_CHECK_EQUAL(set("load-memory-max", "2GiB"), "");
  CAF_CHECK_EQUAL(set("accept-wait", "5s"), "");
  CAF_CHECK_EQUAL(set("accept-queue-max", "7"), "");
  CAF_CHECK_EQUAL(load.low, 0.25);
  CAF_CHECK_EQUAL(load.high, 0.5);
  CAF_CHECK_EQUAL(load.turn_max, 250ms);
  CAF_CHECK_EQUAL(load.outbox_bytes_max, 65'536u);
  CAF_CHECK_EQUAL(load.memory_bytes_max, size_t{1} << 31);
  CAF_CHECK_EQUAL(options.server.accept_wait, 5s);
  CAF_CHECK_EQUAL(options.server.accept_queue_max, 7u);
  CAF_CHECK_EQUAL(callboard::net::check(options.server), "");
}

CAF_TEST(their bounds and one past them) {
  CAF_CHECK_EQUAL(set("accept-wait", "60s"), "");
  CAF_CHECK_EQUAL(set("accept-wait", "60001ms"),
                  "'60001ms' is out of bounds; it takes 0s to 1m");
  CAF_CHECK_EQUAL(set("accept-queue-max", "1000000"), "");
  CAF_CHECK_NOT_EQUAL(set("accept-queue-max", "1000001"), "");
  CAF_CHECK_NOT_EQUAL(set("accept-queue-max", "0"), "");
  CAF_CHECK_EQUAL(set("load-turn-max", "1ms"), "");
  CAF_CHECK_NOT_EQUAL(set("load-turn-max", "0s"), "");
  CAF_CHECK_EQUAL(set("load-turn-max", "1m"), "");
  CAF_CHECK_NOT_EQUAL(set("load-turn-max", "60001ms"), "");
  CAF_CHECK_EQUAL(set("load-outbox-bytes-max", "1024GiB"), "");
  CAF_CHECK_NOT_EQUAL(set("load-outbox-bytes-max", "1025GiB"), "");
  CAF_CHECK_EQUAL(set("load-outbox-bytes-max", "65535"),
                  "'65535' is out of bounds; it takes 64KiB to 1024GiB");
  CAF_CHECK_EQUAL(set("load-memory-max", "1MiB"), "");
  CAF_CHECK_EQUAL(set("load-memory-max", "1023KiB"),
                  "load-memory-max (1023KiB) is smaller than 1MiB; 0 sets no "
                  "limit");
  CAF_CHECK_EQUAL(set("load-memory-max", "0"), "");
}

CAF_TEST(the low mark is below the high one) {
  CAF_CHECK_EQUAL(set("load-low", "0.9"),
                  "load-low (0.9) is not below load-high (0.9)");
  CAF_CHECK_EQUAL(set("load-low", "0.89"), "");
  CAF_CHECK_NOT_EQUAL(set("load-high", "0.89"), "");
  CAF_CHECK_EQUAL(set("load-high", "0.9"), "");
  CAF_CHECK_EQUAL(set("load-low", "0.001"), "");
  CAF_CHECK_EQUAL(set("load-low", "0"),
                  "load-low (0) must be above 0 unless load-high is 0");
  CAF_CHECK_EQUAL(set("load-high", "0"), "");
  CAF_CHECK_EQUAL(set("load-high", "1.1"),
                  "'1.1' is out of bounds; it takes 0 to 1");
}

CAF_TEST(weights that are not named stay) {
  CAF_CHECK_EQUAL(set("load-weights", "cpu=0.5,turn=0"), "");
  CAF_CHECK_EQUAL(show("load-weights"),
                  "turn=0,queue=1,outbox=0,cpu=0.5,memory=1");
  CAF_CHECK_EQUAL(set("load-weights", show("load-weights")), "");
  CAF_CHECK_EQUAL(set("load-weights", ""), "");
  CAF_CHECK_EQUAL(load.weights[3], 0.5);
}

CAF_TEST(weights that are none change nothing) {
  CAF_CHECK_EQUAL(set("load-weights", "cpu=0.5,disk=1"),
                  "'disk' is no part of the load; these are turn, queue, "
                  "outbox, cpu and memory");
  CAF_CHECK_EQUAL(set("load-weights", "cpu=1.5"),
                  "'1.5' is not a share of 0 to 1");
  CAF_CHECK_EQUAL(set("load-weights", "cpu"), "'' is not a share of 0 to 1");
  CAF_CHECK_EQUAL(set("load-weights", "cpu=1,,turn=1"),
                  "'' is no part of the load; these are turn, queue, outbox, "
                  "cpu and memory");
  CAF_CHECK_EQUAL(show("load-weights"),
                  "turn=1,queue=1,outbox=0,cpu=0,memory=1");
}

CAF_TEST_FIXTURE_SCOPE_END()
