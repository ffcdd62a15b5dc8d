#include <callboard/cmd/serve_options.hpp>

#include <map>

#include <callboard/cmd/action_sections.hpp>
#include <callboard/cmd/settings.hpp>
#include <callboard/cmd/topic_sections.hpp>

#include "support/test.hpp"

using namespace callboard::cmd;
using namespace std::chrono_literals;

// Settings that change while the server runs.

CAF_TEST(what differs and is not live takes a restart) {
  serve_options running;
  auto wanted = running;
  using names = std::vector<std::string>;
  CAF_CHECK_EQUAL(need_restart(running, wanted), names{});
  wanted.log_level = "debug";
  wanted.server.origins = {"*"};
  wanted.server.node.topics = {{"#", {.history_size = 1}}};
  wanted.server.node.action_rules = {{"#", {.rate = {1}}}};
  CAF_CHECK_EQUAL(need_restart(running, wanted), names{});
  wanted.server.port = 1;
  wanted.server.loops = 3;
  wanted.server.echo_path = "/echo";
  wanted.page = false;
  wanted.server.node.ping_interval = 7s;
  wanted.tokens.anonymous_actions = {"a"};
  wanted.log_format = "json";
  CAF_CHECK_EQUAL(need_restart(running, wanted),
                  (names{"listen", "loops", "ping-interval", "echo", "no-page",
                         "log-format", "anonymous-actions"}));
  CAF_CHECK_EQUAL(need_restart(wanted, wanted), names{});
}

CAF_TEST(limits of clients take no restart) {
  serve_options running;
  auto wanted = running;
  auto& s = wanted.server;
  auto& n = s.node;
  n.connections_max = n.inflight_max = n.subscriptions_max = 5;
  n.registrations_max = 5;
  n.user_connections_max = n.tenant_connections_max = 5;
  n.frames = n.publishes = s.handshakes = s.address_handshakes = {5, 6};
  n.bytes = {1 << 20, 2 << 20};
  s.address_connections_max = s.address_sessions_max = 5;
  n.load = {.high = 0.8,
            .low = 0.5,
            .weights = {1, 1, 1, 1, 1},
            .turn_max = 1s,
            .outbox_bytes_max = 1 << 20,
            .memory_bytes_max = 1 << 20};
  using names = std::vector<std::string>;
  CAF_CHECK_EQUAL(need_restart(running, wanted), names{});
  // All that is not left to a restart counts.
  callboard::net::reload_options{s}.apply_to(running.server);
  auto now = serve_settings(running);
  auto then = serve_settings(wanted);
  for (size_t i = 0; i < now.size(); ++i)
    CAF_CHECK_EQUAL(now[i].show(), then[i].show());
  n.frame_bytes_max = 1000;
  n.outbox_bytes_max = 2 << 20;
  s.trusted_proxies = {"10.0.0.1"};
  s.accept_wait = 1s;
  CAF_CHECK_EQUAL(need_restart(running, wanted),
                  (names{"frame-bytes-max", "outbox-bytes-max",
                         "trusted-proxies", "accept-wait"}));
}

CAF_TEST(every setting shows its value as it can be written) {
  serve_options one;
  serve_options two;
  auto rows = serve_settings(one);
  auto others = serve_settings(two);
  for (size_t i = 0; i < rows.size(); ++i) {
    CAF_REQUIRE(rows[i].show);
    auto value = rows[i].show();
    if (!value.empty())
      CAF_CHECK_EQUAL(others[i].set(value), "");
    CAF_CHECK_EQUAL(others[i].show(), value);
  }
}
