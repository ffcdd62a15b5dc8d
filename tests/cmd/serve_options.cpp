#include <callboard/cmd/serve_options.hpp>

#include <map>

#include <callboard/cmd/action_sections.hpp>
#include <callboard/cmd/settings.hpp>
#include <callboard/cmd/topic_sections.hpp>

#include "support/test.hpp"

using namespace callboard::cmd;
using namespace std::chrono_literals;

namespace {

struct fixture {
  // Applies all places in the order of `serve`. Returns what is wrong.
  std::string read(std::vector<std::string> flags,
                   std::map<std::string, std::string> environment = {},
                   const std::string& file = {}) {
    options = {};
    settings table{serve_settings(options)};
    CLI::App app;
    table.add_to(app);
    std::reverse(flags.begin(), flags.end());
    try {
      app.parse(flags);
      auto sections = table.apply_config(file, "callboard.conf");
      node.topics = topic_rules(sections, "callboard.conf");
      node.action_rules = action_rules(sections, "callboard.conf");
      table.apply_environment([&](const std::string& name) {
        auto i = environment.find(name);
        return i == environment.end() ? nullptr : i->second.c_str();
      });
      table.apply_flags();
    } catch (const CLI::ParseError& x) {
      return x.what();
    }
    return check(options);
  }

  serve_options options;

  callboard::node_options& node = options.server.node;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(serve_options_tests, fixture)

CAF_TEST(nothing given leaves the defaults) {
  CAF_CHECK_EQUAL(read({}), "");
  CAF_CHECK_EQUAL(options.server.address, "127.0.0.1");
  CAF_CHECK_EQUAL(options.server.port, 8080u);
  CAF_CHECK_EQUAL(node.ping_interval, 30s);
  CAF_CHECK_EQUAL(options.page, true);
  CAF_CHECK_EQUAL(options.log_level, "info");
}

CAF_TEST(tokens and origins) {
  CAF_CHECK_EQUAL(read({"--token-key", "key.pem", "--token-jwks", "keys.json",
                        "--token-issuer", "us", "--token-audience", "board",
                        "--token-skew", "5s", "--token-cookie", "board",
                        "--anonymous-sub-topics", "news/#,$user/+",
                        "--anonymous-actions", "time"}),
                  "");
  auto& tokens = options.tokens;
  CAF_CHECK_EQUAL(tokens.key_file, "key.pem");
  CAF_CHECK_EQUAL(tokens.jwks_file, "keys.json");
  CAF_CHECK_EQUAL(tokens.rules.issuer, "us");
  CAF_CHECK_EQUAL(tokens.rules.audience, "board");
  CAF_CHECK_EQUAL(tokens.rules.skew, 5s);
  CAF_CHECK_EQUAL(options.server.token_cookie, "board");
  CAF_CHECK_EQUAL(tokens.anonymous_sub_topics,
                  (std::vector<std::string>{"news/#", "$user/+"}));
  CAF_CHECK_EQUAL(tokens.anonymous_actions, std::vector<std::string>{"time"});
  CAF_CHECK_EQUAL(tokens.anonymous_pub_topics, std::vector<std::string>{});
  CAF_CHECK_EQUAL(read({"--allowed-origins", "https://a.example,*"}), "");
  CAF_CHECK_EQUAL(options.server.origins,
                  (std::vector<std::string>{"https://a.example", "*"}));
  CAF_CHECK_EQUAL(read({"--allowed-origins", "a.example"}),
                  "--allowed-origins: 'a.example' is wrong. It takes *, or "
                  "SCHEME://HOST[:PORT] like https://example.com.");
  CAF_CHECK_EQUAL(read({"--anonymous-sub-topics", "a,,b"}),
                  "--anonymous-sub-topics: '' is wrong. The subject is empty.");
}

CAF_TEST(limits of addresses and users and rates) {
  CAF_CHECK_EQUAL(read({}), "");
  CAF_CHECK(options.server.handshakes == callboard::rate_limit{});
  CAF_CHECK_EQUAL(node.publishes.on(), false);
  CAF_CHECK_EQUAL(read({"--address-connections-max",
                        "1",
                        "--address-sessions-max",
                        "2",
                        "--user-connections-max",
                        "3",
                        "--tenant-connections-max",
                        "4",
                        "--handshakes-rate",
                        "5",
                        "--handshakes-burst",
                        "6",
                        "--address-handshakes-rate",
                        "7",
                        "--address-handshakes-burst",
                        "8",
                        "--frames-rate",
                        "9",
                        "--frames-burst",
                        "10",
                        "--bytes-rate",
                        "1MiB",
                        "--bytes-burst",
                        "64KiB",
                        "--publishes-rate",
                        "11",
                        "--publishes-burst",
                        "12"}),
                  "");
  auto& server = options.server;
  CAF_CHECK_EQUAL(server.address_connections_max, 1u);
  CAF_CHECK_EQUAL(server.address_sessions_max, 2u);
  CAF_CHECK_EQUAL(node.user_connections_max, 3u);
  CAF_CHECK_EQUAL(node.tenant_connections_max, 4u);
  using rate = callboard::rate_limit;
  CAF_CHECK((server.handshakes == rate{5, 6}));
  CAF_CHECK((server.address_handshakes == rate{7, 8}));
  CAF_CHECK((node.frames == rate{9, 10}));
  CAF_CHECK((node.bytes == rate{1'048'576, 65'536}));
  CAF_CHECK((node.publishes == rate{11, 12}));
  CAF_CHECK_EQUAL(callboard::net::check(server), "");
}

CAF_TEST(limits hold at their ends and one past them) {
  for (auto name :
       {"--address-connections-max", "--address-sessions-max",
        "--user-connections-max", "--tenant-connections-max",
        "--handshakes-rate", "--handshakes-burst", "--address-handshakes-rate",
        "--address-handshakes-burst", "--frames-rate", "--frames-burst",
        "--publishes-rate", "--publishes-burst"}) {
    CAF_CHECK_EQUAL(read({name, "0"}), "");
    CAF_CHECK_EQUAL(read({name, "1000000"}), "");
    CAF_CHECK_EQUAL(callboard::net::check(options.server), "");
    CAF_CHECK_EQUAL(read({name, "1000001"}),
                    std::string{name}
                      + ": '1000001' is out of bounds; it takes 0 to 1000000");
  }
  CAF_CHECK_EQUAL(read({"--bytes-rate", "1GiB", "--bytes-burst", "1GiB"}), "");
  CAF_CHECK_EQUAL(callboard::net::check(options.server), "");
  CAF_CHECK_NOT_EQUAL(read({"--bytes-rate", "1073741825"}), "");
  CAF_CHECK_NOT_EQUAL(read({"--bytes-burst", "1073741825"}), "");
}

CAF_TEST(the largest message fits into the burst of bytes) {
  CAF_CHECK_EQUAL(read({"--bytes-rate", "1", "--bytes-burst", "64KiB"}), "");
  CAF_CHECK_EQUAL(read({"--bytes-rate", "1", "--bytes-burst", "65535"}),
                  "bytes-burst (65535B) is smaller than frame-bytes-max "
                  "(64KiB); a message of that size could never be sent");
  // Without a rate the burst means nothing.
  CAF_CHECK_EQUAL(read({"--bytes-burst", "1"}), "");
}

CAF_TEST(proxies are addresses and networks) {
  CAF_CHECK_EQUAL(read({"--trusted-proxies", "10.0.0.0/8,::1,2001:db8::/32"}),
                  "");
  CAF_CHECK_EQUAL(options.server.trusted_proxies,
                  (std::vector<std::string>{"10.0.0.0/8", "::1",
                                            "2001:db8::/32"}));
  CAF_CHECK_EQUAL(read({"--trusted-proxies", "10.0.0.0/33"}),
                  "--trusted-proxies: '10.0.0.0/33' is wrong. It takes an IP "
                  "address, or a network like 10.0.0.0/8.");
}

CAF_TEST(what asks for tokens needs keys) {
  for (auto name : {"--token-issuer", "--token-audience", "--token-cookie",
                    "--anonymous-sub-topics", "--anonymous-pub-topics",
                    "--anonymous-actions"}) {
    CAF_CHECK_NOT_EQUAL(read({name, "x"}), "");
    CAF_CHECK_EQUAL(read({name, "x", "--token-key", "key"}), "");
    CAF_CHECK_EQUAL(read({name, "x", "--token-jwks", "keys"}), "");
  }
}

CAF_TEST(a flag beats the environment and that beats the file) {
  auto file = "loops = 1\ninflight-max = 1\ntopics-max = 1\n";
  std::map<std::string, std::string> environment{
    {"CALLBOARD_INFLIGHT_MAX", "2"}, {"CALLBOARD_TOPICS_MAX", "2"}};
  CAF_CHECK_EQUAL(read({"--topics-max", "3"}, environment, file), "");
  CAF_CHECK_EQUAL(options.server.loops, 1u);
  CAF_CHECK_EQUAL(node.inflight_max, 2u);
  CAF_CHECK_EQUAL(node.topics_max, 3u);
}

CAF_TEST(every setting has the same name in each place) {
  serve_options scratch;
  for (auto& x : serve_settings(scratch)) {
    auto value = x.is_switch() ? std::string{"true"} : x.standard;
    if (x.name == "echo")
      value = "/echo";
    else if (x.name == "node-name")
      value = "n1";
    else if (x.name == "store-dir")
      value = "store";
    else if (x.name == "allowed-origins")
      value = "https://example.com";
    else if (x.name == "trusted-proxies")
      value = "10.0.0.0/8";
    else if (x.name == "cluster-listen" || x.name == "join")
      value = "127.0.0.1:8180";
    else if (x.name == "store-nodes")
      value = "a,b";
    else if (x.name == "advertise-url")
      value = "ws://192.0.2.1:8080/ws";
    else if (value.empty() || value == "none")
      value = "x";
    auto flag = x.is_switch() ? "--" + x.name : "--" + x.name + '=' + value;
    // Some make sense only beside others.
    std::vector<std::string> others;
    for (auto other :
         {"--token-jwks=keys", "--tls-cert=cert", "--tls-key=key",
          "--tls-client-ca=ca", "--cluster-listen=127.0.0.1:0",
          "--cluster-cert=cert", "--cluster-key=key", "--cluster-ca=ca"})
      if (flag.substr(0, flag.find('=') + 1)
          != std::string{other}.substr(0, std::string{other}.find('=') + 1))
        others.emplace_back(other);
    auto all = others;
    all.push_back(flag);
    CAF_CHECK_EQUAL(read(all), "");
    CAF_CHECK_EQUAL(read(others, {{environment_name(x.name), value}}), "");
    CAF_CHECK_EQUAL(read(others, {}, x.name + " = " + value), "");
  }
}

CAF_TEST(an empty variable counts as not set) {
  CAF_CHECK_EQUAL(read({}, {{"CALLBOARD_LOOPS", ""}}), "");
}

CAF_TEST(a file with sections sets both the node and its topics) {
  auto file = "loops = 1\n[topic chat/+]\nhistory-size = 9\n";
  CAF_CHECK_EQUAL(read({"--loops", "2"}, {}, file), "");
  CAF_CHECK_EQUAL(options.server.loops, 2u);
  CAF_REQUIRE_EQUAL(node.topics.size(), 1u);
  CAF_CHECK_EQUAL(node.topics[0].pattern, "chat/+");
  CAF_CHECK_EQUAL(node.topics[0].options.history_size, 9u);
  CAF_CHECK_EQUAL(callboard::net::check(options.server), "");
}

CAF_TEST(a file may have sections for actions beside those for topics) {
  auto file = "[action transfer]\nrate = 9\n[topic chat/+]\nretain = on\n"
              "[action \"#\"]\nbreaker = on\n";
  CAF_CHECK_EQUAL(read({}, {}, file), "");
  CAF_REQUIRE_EQUAL(node.topics.size(), 1u);
  CAF_REQUIRE_EQUAL(node.action_rules.size(), 2u);
  CAF_CHECK_EQUAL(node.action_rules[0].pattern, "transfer");
  CAF_CHECK_EQUAL(node.action_rules[0].options.rate.per_second, 9u);
  CAF_CHECK_EQUAL(node.action_rules[1].options.breaker, true);
  CAF_CHECK_EQUAL(callboard::net::check(options.server), "");
}

CAF_TEST(what is for a topic stands in a section only and the rest in none) {
  CAF_CHECK_EQUAL(read({}, {}, "history-size = 9\n"),
                  "callboard.conf, line 1: there is no setting 'history-size'; "
                  "`callboard serve --help` lists all");
  CAF_CHECK_EQUAL(read({}, {}, "[topic x]\nloops = 1\n"),
                  "callboard.conf, line 2: there is no setting 'loops'; a "
                  "topic section takes history-size, history-ttl, retain, "
                  "presence, overflow, durability, replicas, "
                  "payload-bytes-max, publish-rate, publish-burst, "
                  "publishers");
}

CAF_TEST(switches can be set and taken back) {
  CAF_CHECK_EQUAL(read({"--compression", "--no-page"}), "");
  CAF_CHECK_EQUAL(options.server.compression && !node.tenant_isolation, true);
  CAF_CHECK_EQUAL(options.page, false);
  CAF_CHECK_EQUAL(read({"--no-page=false"},
                       {{"CALLBOARD_NO_PAGE", "true"},
                        {"CALLBOARD_TENANT_ISOLATION", "on"}}),
                  "");
  CAF_CHECK_EQUAL(options.page && node.tenant_isolation, true);
}

CAF_TEST(an unknown name in the file is told with its line) {
  CAF_CHECK_EQUAL(read({}, {}, "loops = 1\nlops = 2\n"),
                  "callboard.conf, line 2: there is no setting 'lops'; "
                  "`callboard serve --help` lists all");
}

CAF_TEST(a bad value is told with its place and its bounds and its unit) {
  CAF_CHECK_EQUAL(read({"--ping-interval", "30"}),
                  "--ping-interval: '30' is not a duration with a unit (ms, s, "
                  "m, h); it takes 100ms to 1h");
  CAF_CHECK_EQUAL(read({}, {{"CALLBOARD_FRAME_BYTES_MAX", "64KB"}}),
                  "CALLBOARD_FRAME_BYTES_MAX: '64KB' is not a number of bytes "
                  "(B, KiB, MiB, GiB); it takes 128B to 16MiB");
  CAF_CHECK_EQUAL(read({}, {}, "loops = many"),
                  "callboard.conf, line 1, loops: 'many' is not a number; it "
                  "takes 0 to 256");
  CAF_CHECK_EQUAL(read({"--log-format", "xml"}),
                  "--log-format: 'xml' is not one of text, json");
}

CAF_TEST(bounds hold at their ends and one past them) {
  CAF_CHECK_EQUAL(read({"--max-connections", "1000000"}), "");
  CAF_CHECK_EQUAL(read({"--max-connections", "1"}), "");
  CAF_CHECK_NOT_EQUAL(read({"--max-connections", "1000001"}), "");
  CAF_CHECK_NOT_EQUAL(read({"--max-connections", "0"}), "");
  CAF_CHECK_EQUAL(read({"--frame-bytes-max", "128"}), "");
  CAF_CHECK_NOT_EQUAL(read({"--frame-bytes-max", "127"}), "");
  CAF_CHECK_EQUAL(read({"--history-bytes-max", "64KiB"}), "");
  CAF_CHECK_EQUAL(node.history_bytes_max, 65'536u);
  CAF_CHECK_EQUAL(read({"--history-bytes-max", "1024GiB"}), "");
  CAF_CHECK_EQUAL(node.history_bytes_max, size_t{1} << 40);
  CAF_CHECK_EQUAL(read({"--history-bytes-max", "65535"}),
                  "--history-bytes-max: '65535' is out of bounds; it takes "
                  "64KiB to 1024GiB");
  CAF_CHECK_NOT_EQUAL(read({"--history-bytes-max", "1099511627777"}), "");
  CAF_CHECK_EQUAL(read({"--ids-bytes-max", "64KiB"}), "");
  CAF_CHECK_EQUAL(node.ids_bytes_max, 65'536u);
  CAF_CHECK_NOT_EQUAL(read({"--ids-bytes-max", "65535"}), "");
  CAF_CHECK_EQUAL(read({"--last-values-max", "1000000"}), "");
  CAF_CHECK_EQUAL(node.last_values_max, 1'000'000u);
  CAF_CHECK_NOT_EQUAL(read({"--last-values-max", "1000001"}), "");
  CAF_CHECK_NOT_EQUAL(read({"--last-values-max", "0"}), "");
  CAF_CHECK_EQUAL(read({"--guarded-actions-max", "1000000"}), "");
  CAF_CHECK_EQUAL(node.guarded_actions_max, 1'000'000u);
  CAF_CHECK_NOT_EQUAL(read({"--guarded-actions-max", "1000001"}), "");
  CAF_CHECK_EQUAL(read({"--guarded-actions-max", "1"}), "");
  CAF_CHECK_NOT_EQUAL(read({"--guarded-actions-max", "0"}), "");
  CAF_CHECK_EQUAL(read({"--ping-interval", "100ms"}), "");
  CAF_CHECK_NOT_EQUAL(read({"--ping-interval", "99ms"}), "");
}

CAF_TEST(settings that do not go together are refused) {
  CAF_CHECK_EQUAL(read({"--frame-bytes-max", "2MiB"}),
                  "frame-bytes-max (2MiB) is larger than outbox-bytes-max "
                  "(1MiB); a frame must fit into an outbox");
  CAF_CHECK_EQUAL(
    read({"--frame-bytes-max", "1MiB", "--outbox-bytes-max", "1MiB"}), "");
  CAF_CHECK_EQUAL(read({"--ping-timeout", "30s"}),
                  "ping-interval (30s) is not shorter than ping-timeout (30s); "
                  "a ping needs time to be answered");
}

CAF_TEST(a store has a folder and may have a bound) {
  CAF_CHECK_EQUAL(read({"--store-dir", "/var/lib/callboard"}), "");
  CAF_CHECK_EQUAL(options.server.store_dir, "/var/lib/callboard");
  CAF_CHECK_EQUAL(options.server.store_bytes_max, 0u);
  CAF_CHECK_EQUAL(read({"--store-bytes-max", "1MiB"}), "");
  CAF_CHECK_EQUAL(options.server.store_bytes_max, 1'048'576u);
  CAF_CHECK_EQUAL(read({"--store-bytes-max", "1048575"}),
                  "store-bytes-max (1048575B) is smaller than 1MiB; 0 sets no "
                  "limit");
  CAF_CHECK_EQUAL(read({"--store-bytes-max", "16384GiB"}), "");
  CAF_CHECK_NOT_EQUAL(read({"--store-bytes-max", "16385GiB"}), "");
}

CAF_TEST(a user may be named and a group with it) {
  CAF_CHECK_EQUAL(read({}), "");
  CAF_CHECK_EQUAL(options.user.user, "");
  CAF_CHECK_EQUAL(read({"--user", "callboard"}), "");
  CAF_CHECK_EQUAL(options.user.user, "callboard");
  CAF_CHECK_EQUAL(options.user.group, "");
  CAF_CHECK_EQUAL(
    read({"--user", "callboard:ssl-cert"}, {{"CALLBOARD_USER", "nobody"}}), "");
  CAF_CHECK_EQUAL(options.user.user, "callboard");
  CAF_CHECK_EQUAL(options.user.group, "ssl-cert");
  CAF_CHECK_EQUAL(read({"--user", ":ssl-cert"}),
                  "--user: ':ssl-cert' is neither the NAME of a user nor "
                  "NAME:GROUP");
}

CAF_TEST(the echo must not take a path that is in use) {
  CAF_CHECK_EQUAL(read({"--echo", "/echo"}), "");
  CAF_CHECK_NOT_EQUAL(read({"--echo", "/ws"}), "");
  CAF_CHECK_NOT_EQUAL(read({"--echo", "/"}), "");
  CAF_CHECK_NOT_EQUAL(read({"--echo", "echo"}), "");
}

CAF_TEST(what TLS needs) {
  CAF_CHECK_EQUAL(read({"--tls-cert", "c.pem", "--tls-key", "k.pem",
                        "--tls-client-ca", "ca.pem", "--tls-client-required",
                        "--tls-client-user"}),
                  "");
  auto& tls = options.server.tls;
  CAF_CHECK_EQUAL(tls.certificate_file, "c.pem");
  CAF_CHECK_EQUAL(tls.key_file, "k.pem");
  CAF_CHECK_EQUAL(tls.client_ca_file, "ca.pem");
  CAF_CHECK(tls.client_required);
  CAF_CHECK(tls.names_users);
  CAF_CHECK(read({"--tls-cert", "c.pem"}) != "");
  CAF_CHECK(read({"--tls-key", "k.pem"}) != "");
  CAF_CHECK(read({"--tls-client-ca", "ca.pem"}) != "");
  CAF_CHECK(
    read({"--tls-cert", "c.pem", "--tls-key", "k.pem", "--tls-client-required"})
    != "");
}

CAF_TEST_FIXTURE_SCOPE_END()
