#include <callboard/actors/loop_context.hpp>

namespace callboard {

void turn_counts::publish(loop_metrics& metrics) {
  auto add = [](caf::telemetry::int_counter* metric, uint64_t n) {
    if (n > 0)
      metric->inc(static_cast<int64_t>(n));
  };
  for (size_t i = frame_type_min; i <= frame_type_max; ++i) {
    add(metrics.frames_in[i], frames_in[i]);
    add(metrics.frames_out[i], frames_out[i]);
  }
  add(metrics.bytes_in, bytes_in);
  add(metrics.bytes_out, bytes_out);
  add(metrics.deliveries, deliveries);
  add(metrics.requests_answered, own_requests);
  *this = turn_counts{};
}

} // namespace callboard
