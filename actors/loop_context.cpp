#include <callboard/actors/loop_context.hpp>

#include <utility>

#include <caf/make_counted.hpp>
#include <caf/send.hpp>

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

void loop_context::set_rules(rule_set_ptr x) {
  // The old ones must outlive those who know them.
  auto old = std::exchange(newer_rules, std::move(x));
  topics.set_rules(rules());
  screen.assign(rules());
}

void loop_context::set_limits(std::shared_ptr<const client_limits> x) {
  newer_limits = std::move(x);
  ++limits_round;
  load.change(newer_limits->load);
}

void loop_context::sample_load(int64_t now_ms, const load_sample& x) {
  auto before = load.stage();
  auto changed = load.sample(now_ms, x);
  metrics.load_score->value(load.score());
  metrics.load_peak->value(load.peak());
  metrics.load_stage->value(static_cast<int64_t>(load.stage()));
  for (size_t i = 0; i < load_part_count; ++i)
    metrics.load_parts[i]->value(load.part(static_cast<load_part>(i)));
  if (changed && load_changed)
    load_changed(before);
}

void loop_context::flush() {
  topics.flush();
  topics.advance();
  topics.take_wanted([this](const std::string& topic, uint64_t first) {
    caf::anon_send(broker_of(topic).actor, fetch_atom_v, index, topic, first);
  });
  for (auto& [shard, x] : topics.take_retained_queries(node.loops)) {
    x.loop = index;
    caf::anon_send(brokers[shard].actor, fetch_atom_v, std::move(x));
  }
  report_presence();
  peers.flush();
  outboxes.flush();
}

void loop_context::report_presence() {
  auto changes = topics.take_presence();
  if (changes.empty())
    return;
  std::vector<presence_report_ptr> reports(node.loops);
  for (auto& x : changes) {
    auto& report = reports[shard_of(x.topic, node.loops)];
    if (report == nullptr) {
      report = caf::make_counted<presence_report>();
      report->loop = index;
    }
    report->changes.push_back(std::move(x));
  }
  for (uint32_t shard = 0; shard < node.loops; ++shard)
    if (auto& report = reports[shard]; report != nullptr) {
      brokers[shard].waiting->add(report->cost());
      caf::anon_send(brokers[shard].actor, presence_atom_v, std::move(report));
    }
}

void loop_context::publish_counts() {
  auto replayed = topics.take_replayed();
  counts.deliveries += static_cast<uint64_t>(replayed);
  counts.frames_out[static_cast<size_t>(frame_type::event)]
    += static_cast<uint32_t>(replayed);
  auto drops = topics.take_drops();
  for (size_t i = 0; i < drops.size(); ++i)
    if (drops[i] > 0)
      metrics.drops[i]->inc(static_cast<int64_t>(drops[i]));
  counts.bytes_out += outboxes.take_sent_bytes();
  counts.publish(metrics);
}

} // namespace callboard
