#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <caf/timespan.hpp>

namespace callboard::cmd {

inline constexpr size_t kib = 1024;
inline constexpr size_t mib = 1024 * kib;

/// Reads a duration: digits and a unit, `ns` not among them: `500ms`, `30s`,
/// `2m`, `1h`. A number without a unit is none, because nobody could say
/// whether it meant seconds or milliseconds.
std::optional<caf::timespan> parse_duration(std::string_view text) noexcept;

/// Returns `x` in the largest unit that gives a whole number; in milliseconds
/// where none does.
std::string format_duration(caf::timespan x);

/// Reads a size: digits, and `KiB`, `MiB`, `GiB` (by 1,024), `B` or nothing
/// for bytes.
std::optional<uint64_t> parse_size(std::string_view text) noexcept;

/// Returns `x` in the largest unit that gives a whole number.
std::string format_size(uint64_t x);

/// Reads a number of digits only.
std::optional<uint64_t> parse_count(std::string_view text) noexcept;

/// Reads a share of a whole: digits, and a fraction behind a point: `0.5`.
std::optional<double> parse_share(std::string_view text) noexcept;

/// Returns `x` as `parse_share` reads it, in as few digits as it needs.
std::string format_share(double x);

/// Reads `true`, `yes`, `on`, `1`, or `false`, `no`, `off`, `0`.
std::optional<bool> parse_switch(std::string_view text) noexcept;

} // namespace callboard::cmd
