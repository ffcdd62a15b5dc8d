#include "units.hpp"

#include <charconv>
#include <limits>
#include <span>

namespace callboard::cmd {

namespace {

struct unit {
  std::string_view name;
  uint64_t factor;
};

// In nanoseconds, the largest first.
constexpr unit duration_units[] = {
  {"h", 3'600'000'000'000},
  {"m", 60'000'000'000},
  {"s", 1'000'000'000},
  {"ms", 1'000'000},
};

// In bytes, the largest first.
constexpr unit size_units[] = {
  {"GiB", uint64_t{1} << 30},
  {"MiB", uint64_t{1} << 20},
  {"KiB", uint64_t{1} << 10},
  {"B", 1},
};

// Reads digits and one of `units`, at most `max` in the smallest unit.
std::optional<uint64_t> parse(std::string_view text,
                              std::span<const unit> units,
                              uint64_t max) noexcept {
  uint64_t number = 0;
  auto end = text.data() + text.size();
  auto [stop, ec] = std::from_chars(text.data(), end, number);
  if (ec != std::errc{})
    return std::nullopt;
  std::string_view name{stop, static_cast<size_t>(end - stop)};
  for (auto& x : units)
    if (x.name == name)
      return number <= max / x.factor ? std::optional{number * x.factor}
                                      : std::nullopt;
  return std::nullopt;
}

std::string format(uint64_t x, std::span<const unit> units) {
  for (auto& y : units)
    if (x >= y.factor && x % y.factor == 0)
      return std::to_string(x / y.factor) + std::string{y.name};
  auto& smallest = units.back();
  return std::to_string(x / smallest.factor) + std::string{smallest.name};
}

} // namespace

std::optional<caf::timespan> parse_duration(std::string_view text) noexcept {
  constexpr auto max = std::numeric_limits<caf::timespan::rep>::max();
  if (auto ns = parse(text, duration_units, max))
    return caf::timespan{static_cast<caf::timespan::rep>(*ns)};
  return std::nullopt;
}

std::string format_duration(caf::timespan x) {
  if (x.count() == 0)
    return "0s";
  return format(static_cast<uint64_t>(x.count()), duration_units);
}

std::optional<uint64_t> parse_size(std::string_view text) noexcept {
  if (auto bytes = parse_count(text))
    return bytes;
  return parse(text, size_units, std::numeric_limits<uint64_t>::max());
}

std::string format_size(uint64_t x) {
  return format(x, size_units);
}

std::optional<uint64_t> parse_count(std::string_view text) noexcept {
  constexpr unit ones[] = {{"", 1}};
  return parse(text, ones, std::numeric_limits<uint64_t>::max());
}

std::optional<double> parse_share(std::string_view text) noexcept {
  auto is_digit = [](char x) { return x >= '0' && x <= '9'; };
  // Else signs and words for what is no number are read, too.
  if (text.empty() || !is_digit(text.front()) || !is_digit(text.back()))
    return std::nullopt;
  double result = 0;
  auto end = text.data() + text.size();
  auto [stop, ec] = std::from_chars(text.data(), end, result,
                                    std::chars_format::fixed);
  if (ec != std::errc{} || stop != end)
    return std::nullopt;
  return result;
}

std::string format_share(double x) {
  // The smallest numbers have 323 zeros in front, the largest 309 digits.
  char text[400];
  auto [end, ec] = std::to_chars(text, text + sizeof(text), x,
                                 std::chars_format::fixed);
  return ec == std::errc{} ? std::string{text, end} : std::string{};
}

std::optional<bool> parse_switch(std::string_view text) noexcept {
  for (auto x : {"true", "yes", "on", "1"})
    if (text == x)
      return true;
  for (auto x : {"false", "no", "off", "0"})
    if (text == x)
      return false;
  return std::nullopt;
}

} // namespace callboard::cmd
