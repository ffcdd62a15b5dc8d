#include <callboard/net/ip_address.hpp>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <random>
#include <system_error>

#include <callboard/net/boost/asio.hpp>

namespace callboard::net {

namespace {

constexpr std::array<uint8_t, 12> v4_prefix{0, 0, 0, 0, 0,    0,
                                            0, 0, 0, 0, 0xFF, 0xFF};
constexpr unsigned v4_prefix_bits = 96;
constexpr unsigned bits_max = 128;

// The bytes of v6 that count as one.
constexpr size_t network_bytes = 8;

// The finalizer of splitmix64: each bit of `x` changes half of the result's.
constexpr uint64_t mix(uint64_t x) noexcept {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

} // namespace

// -- ip_address ---------------------------------------------------------------

std::optional<ip_address> ip_address::parse(std::string_view text) {
  error_code failed;
  auto read = asio::ip::make_address(std::string{text}, failed);
  // It would end at the first zero byte.
  if (failed || text.find('\0') != std::string_view::npos)
    return std::nullopt;
  ip_address result;
  if (read.is_v4()) {
    auto bytes = read.to_v4().to_bytes();
    auto end = std::ranges::copy(v4_prefix, result.bytes.begin()).out;
    std::ranges::copy(bytes, end);
  } else {
    auto bytes = read.to_v6().to_bytes();
    std::ranges::copy(bytes, result.bytes.begin());
  }
  return result;
}

bool ip_address::is_v4() const noexcept {
  return std::equal(v4_prefix.begin(), v4_prefix.end(), bytes.begin());
}

std::string ip_address::to_string() const {
  if (is_v4()) {
    asio::ip::address_v4::bytes_type v4;
    std::copy_n(bytes.begin() + v4_prefix.size(), v4.size(), v4.begin());
    return asio::ip::address_v4{v4}.to_string();
  }
  asio::ip::address_v6::bytes_type v6;
  std::copy_n(bytes.begin(), v6.size(), v6.begin());
  return asio::ip::address_v6{v6}.to_string();
}

// -- ip_network ---------------------------------------------------------------

std::optional<ip_network> ip_network::parse(std::string_view text) {
  auto slash = text.find('/');
  auto first = ip_address::parse(text.substr(0, slash));
  if (!first)
    return std::nullopt;
  ip_network result;
  result.first_ = *first;
  if (slash == std::string_view::npos)
    return result;
  auto length = text.substr(slash + 1);
  auto end = length.data() + length.size();
  unsigned bits = 0;
  auto [stop, wrong] = std::from_chars(length.data(), end, bits);
  if (wrong != std::errc{} || stop != end)
    return std::nullopt;
  // What is written as v4 counts its own bits only.
  if (text.find(':') == std::string_view::npos)
    bits += v4_prefix_bits;
  // What v6 wraps of v4 must be of v4 alone.
  if (bits > bits_max || (first->is_v4() && bits < v4_prefix_bits))
    return std::nullopt;
  result.bits_ = bits;
  return result;
}

bool ip_network::contains(const ip_address& x) const noexcept {
  if (x.is_v4() != first_.is_v4())
    return false;
  auto whole = bits_ / 8;
  if (!std::equal(x.bytes.begin(), x.bytes.begin() + whole,
                  first_.bytes.begin()))
    return false;
  auto rest = bits_ % 8;
  auto differ = rest == 0 ? 0 : (x.bytes[whole] ^ first_.bytes[whole]);
  return differ >> (8 - rest) == 0;
}

// -- address_key --------------------------------------------------------------

address_key make_address_key(std::string_view address) {
  address_key result;
  auto x = ip_address::parse(address);
  if (!x)
    return result;
  auto n = x->is_v4() ? x->bytes.size() : network_bytes;
  std::copy_n(x->bytes.begin(), n, result.bytes.begin());
  return result;
}

address_key_hash::address_key_hash() {
  std::random_device source;
  seed_ = uint64_t{source()} << 32 | source();
}

size_t address_key_hash::operator()(const address_key& x) const noexcept {
  uint64_t halves[2];
  std::memcpy(halves, x.bytes.data(), sizeof(halves));
  return mix(mix(halves[0] ^ seed_) ^ halves[1]);
}

} // namespace callboard::net
