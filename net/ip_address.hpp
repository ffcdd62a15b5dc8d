#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace callboard::net {

/// An IP address: a v6 one, or a v4 one in the form that v6 has for it
/// (::ffff:0:0/96), so that an address that came in either form is the same.
struct ip_address {
  /// Reads an address as people write it, without a port.
  static std::optional<ip_address> parse(std::string_view text);

  [[nodiscard]] bool is_v4() const noexcept;

  /// Returns it as people write it.
  [[nodiscard]] std::string to_string() const;

  /// The 16 bytes of the v6 form.
  std::array<uint8_t, 16> bytes{};

  friend bool operator==(const ip_address&, const ip_address&) = default;
};

/// Addresses that begin with the same bits: `10.0.0.0/8`, `2001:db8::/32`, or a
/// single one without a length.
class ip_network {
public:
  static std::optional<ip_network> parse(std::string_view text);

  /// Returns whether the address is one of these. No v4 address is one of a
  /// network of v6.
  [[nodiscard]] bool contains(const ip_address& x) const noexcept;

private:
  ip_address first_;
  // Of the 16 bytes, 0 … 128.
  unsigned bits_ = 128;
};

/// Who counts as one: a v4 address, or the 64 bits of v6 that one customer has
/// at least.
struct address_key {
  std::array<uint8_t, 16> bytes{};

  friend bool operator==(const address_key&, const address_key&) = default;
};

/// Returns the key of an address; what is none has the key of `::`.
address_key make_address_key(std::string_view address);

/// A hash that nobody can foresee, because clients choose their addresses.
class address_key_hash {
public:
  address_key_hash();

  explicit address_key_hash(uint64_t seed) noexcept : seed_{seed} {
  }

  size_t operator()(const address_key& x) const noexcept;

private:
  uint64_t seed_;
};

} // namespace callboard::net
