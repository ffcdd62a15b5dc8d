#include "reload.hpp"

#include <exception>
#include <optional>
#include <string>

#include <spdlog/spdlog.h>

#include <callboard/net/client_error.hpp>
#include <callboard/net/log.hpp>

#include "logging.hpp"

namespace callboard::cmd {

namespace {

void log_refused(const std::string& why) {
  logger("cmd")->error("reload_refused reason=\"{}\"", why);
}

// Reads the options; says so if they cannot be used.
std::optional<serve_options> read(caf::actor_system& sys, serve_config& from) {
  std::string wrong;
  try {
    auto result = from.read();
    wrong = net::check(result.server);
    if (wrong.empty())
      return result;
  } catch (const std::exception& x) {
    wrong = x.what();
  }
  net::count_reload(sys, false);
  log_refused(wrong);
  return std::nullopt;
}

void log_what_stays(const serve_options& running, const serve_options& wanted) {
  std::string names;
  for (auto& name : need_restart(running, wanted))
    names += (names.empty() ? "" : ",") + name;
  if (!names.empty())
    logger("cmd")->warn("takes_a_restart settings=\"{}\"", names);
}

} // namespace

void reload(net::server& x, caf::actor_system& sys, serve_config& from,
            serve_options& running) {
  auto wanted = read(sys, from);
  if (!wanted)
    return;
  net::reload_options live{wanted->server};
  if (auto failed = x.reload(live))
    return log_refused(net::details(failed).sentence);
  log_what_stays(running, *wanted);
  live.apply_to(running.server);
  running.log_level = wanted->log_level;
  set_log_level(running.log_level);
  logger("cmd")->info("reloaded topic_sections={} action_sections={}",
                      live.topics.size(), live.action_rules.size());
}

} // namespace callboard::cmd
