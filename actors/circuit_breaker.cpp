#include <callboard/actors/circuit_breaker.hpp>

#include <algorithm>

namespace callboard {

namespace {

// Probes may be answered any time.
constexpr caf::timespan probing_wait = std::chrono::seconds{1};

// Shares are decimal fractions, whose products are a little off.
constexpr double share_tolerance = 1e-9;

} // namespace

std::string_view to_string(circuit_state x) noexcept {
  switch (x) {
    case circuit_state::closed:
      return "closed";
    case circuit_state::open:
      return "open";
    case circuit_state::half_open:
      return "half_open";
  }
  return "unknown";
}

circuit_breaker::circuit_breaker(const circuit_options& options) noexcept
  : options_{options} {
}

void circuit_breaker::change(const circuit_options& options,
                             time_point now) noexcept {
  if (options == options_)
    return;
  options_ = options;
  open_time_ = std::min(open_time_, open_time_limit());
  if (blocks(now))
    open_until_ = std::min(open_until_, now + open_time_);
  enter(state_);
}

caf::timespan circuit_breaker::wait(time_point now) noexcept {
  if (blocks(now))
    return open_until_ - now;
  if (state_ == circuit_state::open)
    enter(circuit_state::half_open);
  if (state_ != circuit_state::half_open)
    return caf::timespan{0};
  if (probes_ == good_probes_)
    probing_since_ = now;
  if (probes_ < options_.probes)
    return caf::timespan{0};
  if (now - probing_since_ < probe_time())
    return std::min(options_.open_time, probing_wait);
  fail_probes(true, false, now);
  return open_time_;
}

uint32_t circuit_breaker::begin() noexcept {
  if (state_ == circuit_state::half_open)
    ++probes_;
  return round_;
}

void circuit_breaker::finish(uint32_t round, request_verdict verdict,
                             caf::timespan took, time_point now) noexcept {
  if (round != round_)
    return;
  auto slow = options_.latency.count() > 0 && took > options_.latency;
  if (state_ == circuit_state::half_open)
    return finish_probe(verdict, slow, now);
  if (verdict == request_verdict::none)
    return;
  count(verdict == request_verdict::bad, slow, now);
  if (auto x = counts(now); trips(x))
    open(x, options_.open_time, now);
}

circuit_counts circuit_breaker::counts(time_point now) const noexcept {
  auto newest = slice_number(now);
  circuit_counts result;
  for (auto& x : slices_) {
    if (x.number <= newest - static_cast<int64_t>(slice_count))
      continue;
    result.requests += x.requests;
    result.failed += x.failed;
    result.slow += x.slow;
  }
  return result;
}

int64_t circuit_breaker::slice_number(time_point now) const noexcept {
  auto length = options_.window / static_cast<int64_t>(slice_count);
  return now.time_since_epoch() / length;
}

void circuit_breaker::count(bool failed, bool slow, time_point now) noexcept {
  auto number = slice_number(now);
  auto& x = slices_[static_cast<size_t>(number) % slice_count];
  if (x.number != number)
    x = {number, 0, 0, 0};
  ++x.requests;
  x.failed += failed ? 1 : 0;
  x.slow += slow ? 1 : 0;
}

void circuit_breaker::finish_probe(request_verdict verdict, bool slow,
                                   time_point now) noexcept {
  if (verdict == request_verdict::none) {
    // Another one may take its place.
    --probes_;
    return;
  }
  auto failed = verdict == request_verdict::bad;
  if (failed || slow)
    return fail_probes(failed, slow, now);
  probing_since_ = now;
  if (++good_probes_ == options_.probes)
    enter(circuit_state::closed);
}

caf::timespan circuit_breaker::probe_time() const noexcept {
  // What may still count as good, or as nothing, is waited for.
  return std::max({open_time_, options_.latency, options_.timeout_min});
}

void circuit_breaker::fail_probes(bool failed, bool slow,
                                  time_point now) noexcept {
  circuit_counts x{good_probes_ + 1, failed ? 1u : 0u, slow ? 1u : 0u};
  open(x, std::min(2 * open_time_, open_time_limit()), now);
}

caf::timespan circuit_breaker::open_time_limit() const noexcept {
  return std::max(options_.open_time, options_.open_time_max);
}

bool circuit_breaker::trips(const circuit_counts& x) const noexcept {
  if (x.requests < options_.requests_min)
    return false;
  auto failures_max = options_.error_share * static_cast<double>(x.requests);
  if (options_.error_share > 0 && x.failed > 0
      && static_cast<double>(x.failed) >= failures_max - share_tolerance)
    return true;
  // Where more than one in a hundred is slow, the 99th percentile (by nearest
  // rank) is. That is exact, and takes no histogram.
  return x.slow > x.requests / 100;
}

void circuit_breaker::open(const circuit_counts& cause, caf::timespan time,
                           time_point now) noexcept {
  cause_ = cause;
  open_time_ = time;
  open_until_ = now + time;
  enter(circuit_state::open);
}

void circuit_breaker::enter(circuit_state x) noexcept {
  state_ = x;
  ++round_;
  slices_ = {};
  probes_ = 0;
  good_probes_ = 0;
}

} // namespace callboard
