#include <callboard/net/server_options.hpp>

#include <limits>
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

  // Checks one rule for actions.
  std::string check_action(const std::string& pattern, action_options x = {}) {
    options.node.action_rules = {{"first/+", {}}, {pattern, x}};
    return net::check(options);
  }

  // The same for a breaker.
  std::string check_circuit(circuit_options x) {
    return check_action("a/+", {.breaker = true, .circuit = x});
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

CAF_TEST(an admin listener beyond loopback takes a key) {
  options.admin.address = "0.0.0.0";
  CAF_CHECK_EQUAL(net::check(options), "");
  options.admin.enabled = true;
  CAF_CHECK_EQUAL(net::check(options),
                  "the admin listener is not on loopback (0.0.0.0) and needs a "
                  "file with a key");
  options.admin.key_file = "key";
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

CAF_TEST(the time between audits is bounded) {
  auto check_interval = [this](caf::timespan x) {
    options.node.audit_interval = x;
    return net::check(options);
  };
  CAF_CHECK_EQUAL(check_interval(0s), "");
  CAF_CHECK_EQUAL(check_interval(24h), "");
  CAF_CHECK_EQUAL(check_interval(24h + 1ms),
                  "audit_interval is 86400001 ms, but must be 0 … 86400000 ms");
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

CAF_TEST(what guards a node is bounded) {
  auto& x = options.node;
  auto sentence = [&](auto& option, auto value) {
    auto before = std::exchange(option, value);
    auto result = net::check(options);
    option = before;
    return result;
  };
  CAF_CHECK_EQUAL(sentence(x.user_connections_max, 1'000'000u), "");
  CAF_CHECK_EQUAL(sentence(x.user_connections_max, 1'000'001u),
                  "user_connections_max is 1000001, but must be 0 … 1000000");
  CAF_CHECK_NOT_EQUAL(sentence(x.tenant_connections_max, 1'000'001u), "");
  CAF_CHECK_NOT_EQUAL(sentence(options.address_connections_max, 1'000'001u),
                      "");
  CAF_CHECK_NOT_EQUAL(sentence(options.address_sessions_max, 1'000'001u), "");
  using rate = rate_limit;
  for (auto* y : {&options.handshakes, &options.address_handshakes, &x.frames,
                  &x.publishes}) {
    CAF_CHECK_EQUAL(sentence(*y, rate{1'000'000, 1'000'000}), "");
    CAF_CHECK_NOT_EQUAL(sentence(*y, rate{1'000'001, 1}), "");
    CAF_CHECK_NOT_EQUAL(sentence(*y, rate{1, 1'000'001}), "");
  }
  CAF_CHECK_EQUAL(sentence(x.frames, rate{1'000'001, 1}),
                  "frames is 1000001, but must be 0 … 1000000");
  constexpr size_t most = size_t{1} << 30;
  CAF_CHECK_EQUAL(sentence(x.bytes, rate{most, most}), "");
  CAF_CHECK_NOT_EQUAL(sentence(x.bytes, rate{most + 1, most}), "");
  CAF_CHECK_NOT_EQUAL(sentence(x.bytes, rate{most, most + 1}), "");
}

CAF_TEST(the largest message fits into the burst of bytes) {
  auto& x = options.node;
  x.bytes = {1, x.frame_bytes_max};
  CAF_CHECK_EQUAL(net::check(options), "");
  --x.bytes.burst;
  CAF_CHECK_EQUAL(net::check(options),
                  "the burst of bytes is smaller than frame_bytes_max");
  x.bytes.burst = 0;
  CAF_CHECK_EQUAL(net::check(options), "");
}

CAF_TEST(proxies are addresses or networks) {
  options.trusted_proxies = {"10.0.0.0/8", "::1"};
  CAF_CHECK_EQUAL(net::check(options), "");
  options.trusted_proxies = {"10.0.0.0/8", "proxy"};
  CAF_CHECK_EQUAL(net::check(options),
                  "the trusted proxy 'proxy' is wrong. It takes an IP address, "
                  "or a network like 10.0.0.0/8.");
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

CAF_TEST(the pattern of a rule for actions is well formed) {
  for (auto pattern : {"a", "a.b/+", "#", "+", "callboard", "callboards.x"})
    CAF_CHECK_EQUAL(check_action(pattern), "");
  CAF_CHECK_EQUAL(check_action("a//b"),
                  "the pattern of action 'a//b' is wrong. The subject has an "
                  "empty segment.");
  CAF_CHECK_EQUAL(check_action("callboard.echo"),
                  "the pattern of action 'callboard.echo' is wrong. The "
                  "subject is reserved for the server.");
  for (auto pattern : {"", "a+", "#/a", "$a", "$user/a", "callboard./+"})
    CAF_CHECK_NOT_EQUAL(check_action(pattern), "");
}

CAF_TEST(the counts of a rule for actions are bounded) {
  CAF_CHECK_EQUAL(check_action("a/+", {.rate = {1'000'000}}), "");
  CAF_CHECK_EQUAL(check_action("a/+", {.rate = {1'000'001}}),
                  "rate of action 'a/+' is 1000001, but must be 0 … 1000000");
  CAF_CHECK_EQUAL(check_action("a/+", {.rate = {1, 1'000'000}}), "");
  CAF_CHECK_NOT_EQUAL(check_action("a/+", {.rate = {1, 1'000'001}}), "");
  for (size_t n : {1, 1'000'000})
    CAF_CHECK_EQUAL(check_circuit({.requests_min = n}), "");
  for (size_t n : {0, 1'000'001})
    CAF_CHECK_NOT_EQUAL(check_circuit({.requests_min = n}), "");
  for (size_t n : {1, 100})
    CAF_CHECK_EQUAL(check_circuit({.probes = n}), "");
  for (size_t n : {0, 101})
    CAF_CHECK_NOT_EQUAL(check_circuit({.probes = n}), "");
  for (auto share : {0.001, 1.0})
    CAF_CHECK_EQUAL(check_circuit({.error_share = share}), "");
  CAF_CHECK_EQUAL(check_circuit({.error_share = 1.001}),
                  "error_share of action 'a/+' must be 0 … 1");
  for (auto share : {-0.001, std::numeric_limits<double>::quiet_NaN()})
    CAF_CHECK_NOT_EQUAL(check_circuit({.error_share = share}), "");
}

CAF_TEST(the times of a rule for actions are bounded) {
  auto check_time = [this](caf::timespan circuit_options::*time,
                           caf::timespan value) {
    circuit_options x;
    x.*time = value;
    return check_circuit(x);
  };
  auto check_bounds = [&](caf::timespan circuit_options::*time,
                          caf::timespan min, caf::timespan max) {
    CAF_CHECK_EQUAL(check_time(time, min), "");
    CAF_CHECK_NOT_EQUAL(check_time(time, min - 1ns), "");
    CAF_CHECK_EQUAL(check_time(time, max), "");
    CAF_CHECK_NOT_EQUAL(check_time(time, max + 1ns), "");
  };
  check_bounds(&circuit_options::latency, 0s, 5min);
  check_bounds(&circuit_options::window, 1s, 1h);
  check_bounds(&circuit_options::open_time, 100ms, 1h);
  check_bounds(&circuit_options::open_time_max, 100ms, 24h);
  check_bounds(&circuit_options::timeout_min, 0s, 5min);
  CAF_CHECK_EQUAL(check_time(&circuit_options::window, 999ms),
                  "window of action 'a/+' must be 1 second … 1 hour");
}

CAF_TEST(a rule for actions makes sense) {
  CAF_CHECK_EQUAL(check_action("a/+", {.rate = {0, 1}}),
                  "the rule of action 'a/+' is wrong. A burst means nothing "
                  "without a rate.");
  CAF_CHECK_EQUAL(check_circuit({.error_share = 0}),
                  "the rule of action 'a/+' is wrong. A breaker that looks at "
                  "neither errors nor latency never opens.");
  CAF_CHECK_EQUAL(check_circuit({.error_share = 0, .latency = 1ns}), "");
  CAF_CHECK_EQUAL(check_action("a/+", {.circuit = {.error_share = 0}}), "");
}

CAF_TEST(actions with a state are bounded) {
  auto& x = options.node.guarded_actions_max;
  for (size_t within : {1, 1'000'000}) {
    x = within;
    CAF_CHECK_EQUAL(net::check(options), "");
  }
  x = 0;
  CAF_CHECK_EQUAL(net::check(options),
                  "guarded_actions_max is 0, but must be 1 … 1000000");
  x = 1'000'001;
  CAF_CHECK_NOT_EQUAL(net::check(options), "");
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

CAF_TEST(a cookie has a name that a browser takes) {
  auto& name = options.token_cookie;
  for (auto good :
       {"", "t", "__Host-callboard.token", "!#$%&'*+-.^_`|~09azAZ"}) {
    name = good;
    CAF_CHECK_EQUAL(net::check(options), "");
  }
  for (auto bad : {" t", "t ", "a b", "a=b", "a;b", "a,b", "\"t\"", "a\tb",
                   "a\x7f", "\xc3\xa9", "a/b", "a@b"}) {
    name = bad;
    CAF_CHECK_EQUAL(net::check(options),
                    "token_cookie '" + name
                      + "' is no name of a cookie: it may have letters, digits "
                        "and !#$%&'*+-.^_`|~");
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
