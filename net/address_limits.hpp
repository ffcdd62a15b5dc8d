#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>

#include <callboard/actors/limits.hpp>
#include <callboard/actors/lingering_table.hpp>
#include <callboard/actors/token_bucket.hpp>
#include <callboard/net/ip_address.hpp>
#include <callboard/net/server_options.hpp>

namespace callboard::net {

/// What one address may have of a node, and how many handshakes the node takes.
/// An address is as `make_address_key` has it. Everything is counted, so that
/// what has no limit can get one. Any thread.
class address_limits {
public:
  /// Addresses that are remembered only for how often they have connected.
  static constexpr size_t lingering_max = 65'536;

  explicit address_limits(const front_limits& limits);

  /// Goes by other limits from now on. Nobody loses a place.
  void set_limits(const front_limits& x);

  /// Takes one of the handshakes that the address, and the node, may begin now.
  /// @param now_ms steady time.
  std::optional<limit_hit> take_handshake(std::string_view address,
                                          int64_t now_ms);

  /// Takes a place for a WebSocket.
  std::optional<limit_hit> open_connection(std::string_view address,
                                           int64_t now_ms);

  /// Gives it back.
  void close_connection(std::string_view address, int64_t now_ms);

  /// Takes a place for an HTTP session.
  /// @returns false if there is none.
  bool open_session(std::string_view address, int64_t now_ms);

  /// Gives it back.
  void close_session(std::string_view address, int64_t now_ms);

  /// Returns how many addresses are known.
  [[nodiscard]] size_t size() const;

private:
  struct entry {
    size_t connections = 0;
    size_t sessions = 0;
    token_bucket handshakes;

    [[nodiscard]] bool used() const noexcept {
      return connections > 0 || sessions > 0;
    }

    [[nodiscard]] bool at_rest(int64_t now_ms) const noexcept {
      return handshakes.full(now_ms);
    }
  };

  // Takes one of what there may be so many of; false if there are.
  bool enter(size_t entry::*count, size_t front_limits::*max,
             std::string_view address, int64_t now_ms);

  void leave(size_t entry::*count, std::string_view address, int64_t now_ms);

  entry& get(const address_key& key, int64_t now_ms);

  mutable std::mutex mutex_;
  front_limits limits_;
  token_bucket handshakes_;
  lingering_table<address_key, entry, address_key_hash> entries_;
};

} // namespace callboard::net
