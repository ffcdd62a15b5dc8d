#pragma once

#include <string>

#include "bench.hpp"

namespace callboard::cmd::bench {

/// Returns a number with four digits and k, M or G.
std::string scaled(double value);

/// Returns a duration in the unit that suits it.
std::string duration_text(double nanoseconds);

/// Returns a summary of some lines for people.
std::string summary(const bench_options& options, const bench_result& result);

/// Returns one line of JSON.
std::string to_json(const bench_options& options, const bench_result& result);

} // namespace callboard::cmd::bench
