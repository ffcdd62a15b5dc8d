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
