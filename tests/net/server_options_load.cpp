#include <callboard/net/server_options.hpp>

#include <limits>
#include <utility>

#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

namespace {

struct fixture {
  net::server_options options;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(server_options_load_tests, fixture)

CAF_TEST(marks of the load are shares in their order) {
  auto& x = options.node.load;
  x.high = 1;
  x.low = 0.001;
  CAF_CHECK_EQUAL(net::check(options), "");
  for (auto wrong : {-0.01, 1.01, std::numeric_limits<double>::quiet_NaN()}) {
    x.high = wrong;
    CAF_CHECK_EQUAL(net::check(options), "load.high must be 0 … 1");
    x.high = 1;
    x.low = wrong;
    CAF_CHECK_EQUAL(net::check(options), "load.low must be 0 … 1");
    x.low = 0.001;
    x.weights[4] = wrong;
    CAF_CHECK_EQUAL(net::check(options), "load.weights must be 0 … 1");
    x.weights[4] = 1;
  }
  x.low = x.high = 0.5;
  CAF_CHECK_EQUAL(net::check(options), "load.low is not below load.high");
  x.low = 0.499;
  CAF_CHECK_EQUAL(net::check(options), "");
  // What is never reached would never end.
  x.low = 0;
  CAF_CHECK_EQUAL(net::check(options),
                  "load.low must be above 0 unless load.high is 0");
  // Where nothing is shed there is no order.
  x.high = 0;
  CAF_CHECK_EQUAL(net::check(options), "");
  x.low = 1;
  CAF_CHECK_EQUAL(net::check(options), "");
}

CAF_TEST(what is a full load is bounded) {
  auto& x = options.node.load;
  auto sentence = [&](auto& option, auto value) {
    auto before = std::exchange(option, value);
    auto result = net::check(options);
    option = before;
    return result;
  };
  CAF_CHECK_EQUAL(sentence(x.turn_max, 1ms), "");
  CAF_CHECK_EQUAL(sentence(x.turn_max, 1min), "");
  for (caf::timespan wrong : {caf::timespan{999'999}, 1min + caf::timespan{1}})
    CAF_CHECK_EQUAL(sentence(x.turn_max, wrong),
                    "load.turn_max must be 1 ms … 1 minute");
  CAF_CHECK_EQUAL(sentence(x.outbox_bytes_max, 65'536u), "");
  CAF_CHECK_EQUAL(sentence(x.outbox_bytes_max, 65'535u),
                  "load.outbox_bytes_max is 65535 bytes, but must be 65536 … "
                  "1099511627776 bytes");
  CAF_CHECK_EQUAL(sentence(x.outbox_bytes_max, size_t{1} << 40), "");
  CAF_CHECK_NOT_EQUAL(sentence(x.outbox_bytes_max, (size_t{1} << 40) + 1), "");
  CAF_CHECK_EQUAL(sentence(x.memory_bytes_max, 0u), "");
  CAF_CHECK_EQUAL(sentence(x.memory_bytes_max, 1'048'576u), "");
  CAF_CHECK_NOT_EQUAL(sentence(x.memory_bytes_max, 1'048'575u), "");
  CAF_CHECK_EQUAL(sentence(x.memory_bytes_max, size_t{1} << 44), "");
  CAF_CHECK_NOT_EQUAL(sentence(x.memory_bytes_max, (size_t{1} << 44) + 1), "");
}

CAF_TEST(the queue for places is bounded) {
  for (auto within : {0s, 60s}) {
    options.accept_wait = within;
    CAF_CHECK_EQUAL(net::check(options), "");
  }
  options.accept_wait = 60'001ms;
  CAF_CHECK_EQUAL(net::check(options),
                  "accept_wait is 60001 ms, but must be 0 … 60000 ms");
  options.accept_wait = 0s;
  for (size_t within : {1, 1'000'000}) {
    options.accept_queue_max = within;
    CAF_CHECK_EQUAL(net::check(options), "");
  }
  options.accept_queue_max = 0;
  CAF_CHECK_EQUAL(net::check(options),
                  "accept_queue_max is 0, but must be 1 … 1000000");
  options.accept_queue_max = 1'000'001;
  CAF_CHECK_NOT_EQUAL(net::check(options), "");
}

CAF_TEST_FIXTURE_SCOPE_END()
