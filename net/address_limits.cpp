#include <callboard/net/address_limits.hpp>

namespace callboard::net {

address_limits::address_limits(const front_limits& limits)
  : limits_{limits},
    handshakes_{limits.handshakes, 0},
    entries_{lingering_max} {
}

void address_limits::set_limits(const front_limits& x) {
  std::lock_guard lock{mutex_};
  limits_ = x;
}

std::optional<limit_hit>
address_limits::take_handshake(std::string_view address, int64_t now_ms) {
  std::lock_guard lock{mutex_};
  // The address first: who comes too often must not use up what others need.
  if (limits_.address_handshakes.on()) {
    auto key = make_address_key(address);
    auto wait_ms = get(key, now_ms).handshakes.take(1, now_ms);
    entries_.settle(key, now_ms);
    if (wait_ms > 0)
      return limit_hit{limit_kind::address_handshakes, wait_ms};
  }
  handshakes_.change(limits_.handshakes, now_ms);
  if (auto wait_ms = handshakes_.take(1, now_ms); wait_ms > 0)
    return limit_hit{limit_kind::handshakes, wait_ms};
  return {};
}

std::optional<limit_hit>
address_limits::open_connection(std::string_view address, int64_t now_ms) {
  if (enter(&entry::connections, &front_limits::address_connections_max,
            address, now_ms))
    return {};
  return limit_hit{limit_kind::address_connections};
}

void address_limits::close_connection(std::string_view address,
                                      int64_t now_ms) {
  leave(&entry::connections, address, now_ms);
}

bool address_limits::open_session(std::string_view address, int64_t now_ms) {
  return enter(&entry::sessions, &front_limits::address_sessions_max, address,
               now_ms);
}

void address_limits::close_session(std::string_view address, int64_t now_ms) {
  leave(&entry::sessions, address, now_ms);
}

size_t address_limits::size() const {
  std::lock_guard lock{mutex_};
  return entries_.size();
}

bool address_limits::enter(size_t entry::*count, size_t front_limits::*max,
                           std::string_view address, int64_t now_ms) {
  auto key = make_address_key(address);
  std::lock_guard lock{mutex_};
  auto& found = get(key, now_ms);
  if (limits_.*max > 0 && found.*count >= limits_.*max)
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
  auto& rate = limits_.address_handshakes;
  auto& result = entries_.get(key, now_ms, [&rate, now_ms] {
    return entry{0, 0, token_bucket{rate, now_ms}};
  });
  result.handshakes.change(rate, now_ms);
  return result;
}

} // namespace callboard::net
