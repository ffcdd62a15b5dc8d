#include <callboard/net/loop_service.hpp>

#include <utility>

#include <caf/event_based_actor.hpp>

#include <callboard/net/load_probe.hpp>
#include <callboard/net/log.hpp>

// What a loop does because of its load.

namespace callboard::net {

namespace {

// Between two lines in the log about the load, at least.
constexpr int64_t load_log_ms = 1'000;

// Between two times that memory is given back, at least.
constexpr int64_t trim_ms = 5'000;

} // namespace

std::optional<limit_hit> loop_service::check_load() {
  if (!loop_.context().load.sheds(load_stage::connections))
    return {};
  return counted(limit_hit{limit_kind::load_connections});
}

bool loop_service::open_encrypted(std::string_view peer) {
  if (shared_.proxies.trusts(peer))
    return true;
  // A handshake of TLS costs more than all that a refusal behind it saves. Not
  // in the stages before, which can be there for as long as memory is taken.
  if (loop_.context().load.sheds(load_stage::publishes)) {
    counted(limit_hit{limit_kind::load_connections});
    return false;
  }
  return !take_handshake(peer);
}

void loop_service::watch_load() {
  loop_.context().load_changed = [this](load_stage) {
    // Not here, at the turn's end, when everything has been sent.
    if (loop_.context().load.sheds(load_stage::logins))
      loop_.post([this] { shed_logins(); });
  };
}

void loop_service::log_load() {
  auto& ctx = loop_.context();
  auto now = ctx.load.stage();
  // Clients make the load, and so the lines.
  if (now == logged_stage_ || ctx.steady_ms - logged_ms_ < load_log_ms)
    return;
  logged_ms_ = ctx.steady_ms;
  auto before = std::exchange(logged_stage_, now);
  logger("net")->log(now > before ? spdlog::level::warn : spdlog::level::info,
                     "load_stage loop={} from={} to={} score={:.2f}", ctx.index,
                     to_string(before), to_string(now), ctx.load.score());
}

void loop_service::shed_logins() {
  // The others that are in it are logged in, or gone.
  for (auto& x : std::exchange(connecting_, {}))
    x.session->shed_login();
}

void loop_service::trim_memory() {
  auto& ctx = loop_.context();
  // The memory is that of the process, so one loop is enough.
  if (ctx.index != 0 || !ctx.load.holds(load_part::memory)
      || ctx.steady_ms - trimmed_ms_ < trim_ms)
    return;
  trimmed_ms_ = ctx.steady_ms;
  // It may take long, with much to look through.
  shared_.system.spawn<caf::detached>(
    [](caf::event_based_actor*) { return_free_memory(); });
}

} // namespace callboard::net
