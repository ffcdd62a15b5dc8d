#include <callboard/net/leak_log.hpp>

#include <algorithm>
#include <string>

#include <callboard/net/log.hpp>

namespace callboard::net {

void log_leak(const leak_report& x) {
  auto& who = x.who;
  // How long ago it was; -1: it was not, or nobody knows.
  auto age = [&x](int64_t at_ms) { return at_ms == 0 ? -1 : x.now_ms - at_ms; };
  // Clients name users. No name ends its quotes.
  auto user = who.user;
  std::ranges::replace(user, '"', '\'');
  logger("actors")->warn(
    "leak_found kind={} count={} connection={} address={} user=\"{}\" state={} "
    "opened_ms_ago={} connected_ms_ago={} closing_ms_ago={} overdue_ms={}",
    to_string(x.kind), x.count, who.connection,
    who.address.empty() ? "unknown" : who.address, user, who.state,
    age(who.opened_ms), age(who.connected_ms), age(who.closing_ms),
    x.overdue_ms);
}

} // namespace callboard::net
