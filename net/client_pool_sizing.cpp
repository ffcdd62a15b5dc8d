#include <callboard/net/client_pool_sizing.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace callboard::net {

namespace {

constexpr double rate_limit_per_s = 1e9;

// Shares are decimal fractions, whose products are a little off.
constexpr double sizing_tolerance = 1e-9;

// The next term of formula B's recurrence.
double next_b(double b, size_t servers, double erlangs) noexcept {
  return erlangs * b / (static_cast<double>(servers) + erlangs * b);
}

// Formula C from B of the same number of servers.
double c_of_b(double b, size_t servers, double erlangs) noexcept {
  auto c = static_cast<double>(servers);
  return erlangs < c ? c * b / (c - erlangs * (1 - b)) : 1;
}

void add_waits(pool_size& x, double wait_share, double service_s) noexcept {
  x.wait_share = wait_share;
  x.utilisation = x.erlangs / static_cast<double>(x.size);
  auto spare = static_cast<double>(x.size) - x.erlangs;
  if (spare <= 0) {
    x.wait_mean_s = std::numeric_limits<double>::infinity();
    x.wait_p99_s = x.wait_mean_s;
    return;
  }
  x.wait_mean_s = wait_share * service_s / spare;
  // Who waits does so for an exponential time with the mean service/spare.
  auto p99 = std::log(wait_share * 100) * service_s / spare;
  x.wait_p99_s = wait_share > 0.01 ? p99 : 0;
}

bool reaches(const pool_load& load, const pool_size& x) noexcept {
  return x.utilisation <= load.utilisation_max + sizing_tolerance
         && (load.wait_p99_max_s <= 0 || x.wait_p99_s <= load.wait_p99_max_s);
}

bool within(double x, double min, double max) noexcept {
  return x >= min && x <= max;
}

} // namespace

double erlang_b(size_t servers, double erlangs) noexcept {
  double b = 1;
  for (size_t n = 1; n <= servers; ++n)
    b = next_b(b, n, erlangs);
  return b;
}

double erlang_c(size_t servers, double erlangs) noexcept {
  return c_of_b(erlang_b(servers, erlangs), servers, erlangs);
}

double mean_of_p99(double p99_s) noexcept {
  return p99_s / std::log(100.0);
}

std::string check(const pool_load& x) {
  if (!within(x.rate, 0, rate_limit_per_s))
    return "the rate is not 0 to 1000000000 a second";
  if (!within(x.service_s, 1e-9, 86'400))
    return "the service time is not 1 ns to a day";
  if (!within(x.utilisation_max, 0.01, 0.99))
    return "the utilisation is not 0.01 to 0.99";
  if (!within(x.wait_p99_max_s, 0, 86'400))
    return "the wait is not 0 to a day";
  if (!within(x.cpu_s, 0, 86'400))
    return "the processor time is not 0 to a day";
  if (x.cores < 1 || x.cores > 65'536)
    return "the number of cores is not 1 to 65536";
  if (x.size_min < 1 || x.size_max > pool_size_max || x.size_min > x.size_max)
    return "the bounds of the size are not within 1 to 4096, or not in order";
  return {};
}

pool_size size_pool(const pool_load& load) noexcept {
  pool_size x;
  x.rate = load.rate;
  if (load.cpu_s > 0) {
    auto able = static_cast<double>(load.cores) * load.utilisation_max
                / load.cpu_s;
    x.cores_short = load.rate > able * (1 + sizing_tolerance);
    x.rate = std::min(load.rate, able);
  }
  x.erlangs = x.rate * load.service_s;
  double b = 1;
  for (size_t n = 1; n <= load.size_max; ++n) {
    b = next_b(b, n, x.erlangs);
    if (n < load.size_min)
      continue;
    x.size = n;
    add_waits(x, c_of_b(b, n, x.erlangs), load.service_s);
    if (reaches(load, x))
      return x;
  }
  x.too_small = true;
  return x;
}

} // namespace callboard::net
