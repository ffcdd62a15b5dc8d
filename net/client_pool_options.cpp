#include <callboard/net/client_pool_options.hpp>

#include <array>
#include <chrono>

namespace callboard::net {

namespace {

using namespace std::chrono_literals;

struct time_bound {
  const char* name;
  caf::timespan value;
  caf::timespan min;
  caf::timespan max;
};

std::string check_pool_counts(const client_pool_options& x) {
  if (x.total_max < 1 || x.total_max > pool_size_max)
    return "total_max is not 1 to 4096";
  if (x.idle_max < 1 || x.idle_max > x.total_max)
    return "idle_max is not 1 to total_max";
  if (x.idle_min > x.idle_max)
    return "idle_min is not 0 to idle_max";
  if (x.waiters_max > 1'000'000)
    return "waiters_max is not 0 to 1000000";
  if (x.openings_max < 1 || x.openings_max > 64)
    return "openings_max is not 1 to 64";
  if (!(x.lifetime_jitter >= 0 && x.lifetime_jitter <= 1))
    return "lifetime_jitter is not 0 to 1";
  return {};
}

std::string check_pool_times(const client_pool_options& x) {
  std::array bounds{
    time_bound{"wait_max", x.wait_max, 0ms, 5min},
    time_bound{"open_timeout", x.open_timeout, 1ms, 5min},
    time_bound{"ping_interval", x.ping_interval, 0ms, 1h},
    time_bound{"ping_timeout", x.ping_timeout, 1ms, 5min},
    time_bound{"lease_max", x.lease_max, 0ms, 24h},
    time_bound{"idle_time", x.idle_time, 0ms, 24h},
    time_bound{"lifetime", x.lifetime, 0ms, 24h * 7},
    time_bound{"sizer.half_life", x.sizer.half_life, 100ms, 1h},
    time_bound{"sizer.shrink_after", x.sizer.shrink_after, 1s, 24h},
  };
  for (auto& bound : bounds)
    if (bound.value < bound.min || bound.value > bound.max)
      return std::string{bound.name} + " is out of its bounds";
  return {};
}

std::string check_pool_circuit(const circuit_options& x) {
  if (!(x.error_share > 0 && x.error_share <= 1))
    return "circuit.error_share is not more than 0 and at most 1";
  if (x.window < 1s || x.window > 1h)
    return "circuit.window is not 1 s to 1 h";
  if (x.requests_min < 1 || x.requests_min > 1'000'000)
    return "circuit.requests_min is not 1 to 1000000";
  if (x.open_time < 100ms || x.open_time > 1h)
    return "circuit.open_time is not 0.1 s to 1 h";
  if (x.open_time_max < 100ms || x.open_time_max > 24h)
    return "circuit.open_time_max is not 0.1 s to 24 h";
  if (x.probes < 1 || x.probes > 100)
    return "circuit.probes is not 1 to 100";
  return {};
}

std::string check_pool_sizer(const client_pool_options& x) {
  if (!x.sized_by_load)
    return {};
  if (!(x.sizer.shrink_below >= 0 && x.sizer.shrink_below <= 1))
    return "sizer.shrink_below is not 0 to 1";
  if (!(x.sizer.shrink_step >= 0 && x.sizer.shrink_step <= 1))
    return "sizer.shrink_step is not 0 to 1";
  auto load = x.sizer.targets;
  load.rate = 1;
  load.service_s = 1;
  load.size_min = 1;
  load.size_max = x.total_max;
  return check(load);
}

} // namespace

circuit_options standard_pool_circuit() noexcept {
  circuit_options result;
  result.error_share = 0.5;
  result.window = 10s;
  result.requests_min = 4;
  result.open_time = 1s;
  result.open_time_max = 1min;
  result.probes = 1;
  return result;
}

std::string check(const client_pool_options& x) {
  for (auto look : {check_pool_counts, check_pool_times, check_pool_sizer})
    if (auto wrong = look(x); !wrong.empty())
      return wrong;
  return check_pool_circuit(x.circuit);
}

} // namespace callboard::net
