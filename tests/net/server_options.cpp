#include <callboard/net/server_options.hpp>

#include <utility>

#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

namespace {

struct fixture {
  // Checks one rule.
  std::string check(const std::string& pattern, topic_options x = {}) {
    options.node.topics = {{"first/+", {}}, {pattern, x}};
    return net::check(options);
  }

  std::string check_bytes(size_t n) {
    options.node.history_bytes_max = n;
    return net::check(options);
  }

  net::server_options options;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(server_options_tests, fixture)

CAF_TEST(the defaults are well) {
  CAF_CHECK_EQUAL(net::check(options), "");
}

CAF_TEST(bytes of histories are bounded) {
  CAF_CHECK_EQUAL(check_bytes(65'536), "");
  CAF_CHECK_EQUAL(check_bytes(65'535),
                  "history_bytes_max is 65535 bytes, but must be 65536 … "
                  "1099511627776 bytes");
  CAF_CHECK_EQUAL(check_bytes(size_t{1} << 40), "");
  CAF_CHECK_NOT_EQUAL(check_bytes((size_t{1} << 40) + 1), "");
}

CAF_TEST(bytes of ids are bounded) {
  auto check_ids = [this](size_t n) {
    options.node.ids_bytes_max = n;
    return net::check(options);
  };
  CAF_CHECK_EQUAL(check_ids(65'536), "");
  CAF_CHECK_NOT_EQUAL(check_ids(65'535), "");
  CAF_CHECK_EQUAL(check_ids(size_t{1} << 40), "");
  CAF_CHECK_NOT_EQUAL(check_ids((size_t{1} << 40) + 1), "");
}

CAF_TEST(the sizes of histories are bounded) {
  CAF_CHECK_EQUAL(check("a/+", {.history_size = 100'000}), "");
  CAF_CHECK_EQUAL(check("a/+", {.history_size = 100'001}),
                  "history_size of topic 'a/+' is 100001, but must be 0 … "
                  "100000");
}

CAF_TEST(the times of histories are bounded) {
  CAF_CHECK_EQUAL(check("a/+", {.history_ttl = 0s}), "");
  CAF_CHECK_EQUAL(check("a/+", {.history_ttl = 366 * 24h}), "");
  CAF_CHECK_EQUAL(check("a/+", {.history_ttl = 366 * 24h + 1ns}),
                  "history_ttl of topic 'a/+' must be 0 … 366 days");
  CAF_CHECK_EQUAL(check("a/+", {.history_ttl = -1ns}),
                  "history_ttl of topic 'a/+' must be 0 … 366 days");
}

CAF_TEST(last values of a pattern are bounded) {
  auto& x = options.node.last_values_max;
  for (size_t within : {1, 1'000'000}) {
    x = within;
    CAF_CHECK_EQUAL(net::check(options), "");
  }
  x = 0;
  CAF_CHECK_EQUAL(net::check(options),
                  "last_values_max is 0, but must be 1 … 1000000");
  x = 1'000'001;
  CAF_CHECK_NOT_EQUAL(net::check(options), "");
}

CAF_TEST(what groups may have is bounded) {
  auto& x = options.node;
  auto sentence = [&](auto& option, auto value) {
    auto before = std::exchange(option, value);
    auto result = net::check(options);
    option = before;
    return result;
  };
  CAF_CHECK_EQUAL(sentence(x.groups_max, 1u), "");
  CAF_CHECK_EQUAL(sentence(x.groups_max, 0u),
                  "groups_max is 0, but must be 1 … 10000000");
  CAF_CHECK_EQUAL(sentence(x.topic_groups_max, 10'000u), "");
  CAF_CHECK_EQUAL(sentence(x.topic_groups_max, 10'001u),
                  "topic_groups_max is 10001, but must be 1 … 10000");
  CAF_CHECK_NOT_EQUAL(sentence(x.topic_groups_max, 0u), "");
  CAF_CHECK_EQUAL(sentence(x.group_inflight_max, 65'535u), "");
  CAF_CHECK_NOT_EQUAL(sentence(x.group_inflight_max, 65'536u), "");
  CAF_CHECK_NOT_EQUAL(sentence(x.group_inflight_max, 0u), "");
  CAF_CHECK_EQUAL(sentence(x.group_pending_max, 1'000'000u), "");
  CAF_CHECK_NOT_EQUAL(sentence(x.group_pending_max, 1'000'001u), "");
  CAF_CHECK_NOT_EQUAL(sentence(x.group_pending_max, 0u), "");
  CAF_CHECK_EQUAL(sentence(x.group_bytes_max, 65'536u), "");
  CAF_CHECK_NOT_EQUAL(sentence(x.group_bytes_max, 65'535u), "");
  CAF_CHECK_EQUAL(sentence(x.group_attempts_max, 1000u), "");
  CAF_CHECK_NOT_EQUAL(sentence(x.group_attempts_max, 1001u), "");
  CAF_CHECK_NOT_EQUAL(sentence(x.group_attempts_max, 0u), "");
  CAF_CHECK_EQUAL(sentence(x.group_ack_timeout, 24h), "");
  CAF_CHECK_NOT_EQUAL(sentence(x.group_ack_timeout, 24h + 1ms), "");
  CAF_CHECK_NOT_EQUAL(sentence(x.group_ack_timeout, 0ms), "");
  CAF_CHECK_EQUAL(sentence(x.group_linger, 366 * 24h), "");
  CAF_CHECK_NOT_EQUAL(sentence(x.group_linger, 366 * 24h + 1ms), "");
  CAF_CHECK_NOT_EQUAL(sentence(x.group_linger, 999ms), "");
}

CAF_TEST(the pattern of a rule is well formed) {
  for (auto pattern : {"a", "a/+", "#", "$user/u1", "$user/+", "$user/#",
                       "$dead/a", "$dead/+", "$dead/#"})
    CAF_CHECK_EQUAL(check(pattern), "");
  CAF_CHECK_EQUAL(check("a//b"), "the pattern of topic 'a//b' is wrong. The "
                                 "subject has an empty segment.");
  CAF_CHECK_EQUAL(check("$sys"), "the pattern of topic '$sys' is wrong. A name "
                                 "that begins with $ must begin with $user/ "
                                 "or $dead/.");
  for (auto pattern : {"", "a+", "#/a", "$user", "$user/", "$users/a", "$dead",
                       "$dead/", "$dead/$dead/a", "$dead/a+"})
    CAF_CHECK_NOT_EQUAL(check(pattern), "");
}

CAF_TEST(a durability needs a store) {
  for (auto x : {durability::memory, durability::disk}) {
    options.store_dir.clear();
    CAF_CHECK_EQUAL(check("a/+", {.durability = x}),
                    "durability of topic 'a/+' needs a store, but there is no "
                    "store_dir");
    options.store_dir = "store";
    CAF_CHECK_EQUAL(check("a/+", {.durability = x}), "");
  }
}

CAF_TEST(the size of a store is bounded) {
  auto check_size = [this](size_t n) {
    options.store_bytes_max = n;
    return net::check(options);
  };
  CAF_CHECK_EQUAL(check_size(0), "");
  CAF_CHECK_EQUAL(check_size(1), "store_bytes_max is 1 bytes, but must be "
                                 "1048576 … 17592186044416 bytes");
  CAF_CHECK_EQUAL(check_size(1'048'576), "");
  CAF_CHECK_EQUAL(check_size(size_t{1} << 44), "");
  CAF_CHECK_NOT_EQUAL(check_size((size_t{1} << 44) + 1), "");
}

CAF_TEST(what a topic takes from clients is bounded) {
  CAF_CHECK_EQUAL(check("a/+", {.payload_bytes_max = 16u << 20}), "");
  CAF_CHECK_EQUAL(check("a/+", {.payload_bytes_max = (16u << 20) + 1}),
                  "payload_bytes_max of topic 'a/+' is 16777217 bytes, but "
                  "must be 0 … 16777216 bytes");
  CAF_CHECK_EQUAL(
    check("a/+", {.publish_rate = 1'000'000, .publish_burst = 1'000'000}), "");
  CAF_CHECK_EQUAL(check("a/+", {.publish_rate = 1'000'001}),
                  "publish_rate of topic 'a/+' is 1000001, but must be 0 … "
                  "1000000");
  CAF_CHECK_EQUAL(
    check("a/+", {.publish_rate = 1, .publish_burst = 1'000'001}),
    "publish_burst of topic 'a/+' is 1000001, but must be 0 … 1000000");
  CAF_CHECK_EQUAL(check("a/+", {.publish_burst = 1}),
                  "publish_burst of topic 'a/+' means nothing without a "
                  "publish_rate");
  CAF_CHECK_EQUAL(check("a/+", {.publishers = publishers::server}), "");
}

CAF_TEST_FIXTURE_SCOPE_END()
