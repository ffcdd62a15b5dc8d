#include <callboard/net/address_limits.hpp>

namespace callboard::net {

address_limits::address_limits(const server_options& options)
  : connections_max_{options.address_connections_max},
    sessions_max_{options.address_sessions_max},
    handshakes_rate_{options.handshakes},
    address_handshakes_rate_{options.address_handshakes},
    handshakes_{options.handshakes, 0},
    entries_{lingering_max} {
}

std::optional<limit_hit>
address_limits::take_handshake(std::string_view address, int64_t now_ms) {
  auto by_address = address_handshakes_rate_.on();
  if (!by_address && !handshakes_rate_.on())
    return {};
  std::lock_guard lock{mutex_};
  // The address first: who comes too often must not use up what others need.
  if (by_address) {
    auto key = make_address_key(address);
    auto wait_ms = get(key, now_ms).handshakes.take(1, now_ms);
    entries_.settle(key, now_ms);
    if (wait_ms > 0)
      return limit_hit{limit_kind::address_handshakes, wait_ms};
  }
  if (auto wait_ms = handshakes_.take(1, now_ms); wait_ms > 0)
    return limit_hit{limit_kind::handshakes, wait_ms};
  return {};
}

std::optional<limit_hit>
address_limits::open_connection(std::string_view address, int64_t now_ms) {
  if (enter(&entry::connections, connections_max_, address, now_ms))
    return {};
  return limit_hit{limit_kind::address_connections};
}

void address_limits::close_connection(std::string_view address,
                                      int64_t now_ms) {
  if (connections_max_ > 0)
    leave(&entry::connections, address, now_ms);
}

bool address_limits::open_session(std::string_view address, int64_t now_ms) {
  return enter(&entry::sessions, sessions_max_, address, now_ms);
}

void address_limits::close_session(std::string_view address, int64_t now_ms) {
  if (sessions_max_ > 0)
    leave(&entry::sessions, address, now_ms);
}

size_t address_limits::size() const {
  std::lock_guard lock{mutex_};
  return entries_.size();
}

bool address_limits::enter(size_t entry::*count, size_t max,
                           std::string_view address, int64_t now_ms) {
  if (max == 0)
    return true;
  auto key = make_address_key(address);
  std::lock_guard lock{mutex_};
  auto& found = get(key, now_ms);
  if (found.*count >= max)
    return false;
  ++(found.*count);
  return true;
}

void address_limits::leave(size_t entry::*count, std::string_view address,
                           int64_t now_ms) {
  auto key = make_address_key(address);
  std::lock_guard lock{mutex_};
  if (auto* found = entries_.find(key))
    --(found->*count);
  entries_.settle(key, now_ms);
}

address_limits::entry& address_limits::get(const address_key& key,
                                           int64_t now_ms) {
  return entries_.get(key, now_ms, [this, now_ms] {
    return entry{0, 0, token_bucket{address_handshakes_rate_, now_ms}};
  });
}

} // namespace callboard::net
