#include "action_sections.hpp"

#include <callboard/net/server_options.hpp>

#include "rule_sections.hpp"

namespace callboard::cmd {

namespace {

using namespace std::chrono_literals;

constexpr section_bounds action_bounds{section_kind::action,
                                       action_sections_max,
                                       net::check_action_pattern};

} // namespace

std::vector<setting> action_settings(action_options& x) {
  auto& c = x.circuit;
  return {
    count_setting("rate", "Requests a second over the node; 0 sets no limit",
                  x.rate.per_second, 0, 1'000'000),
    count_setting("burst",
                  "Most of them at once after a rest; 0 takes as many as in a "
                  "second",
                  x.rate.burst, 0, 1'000'000),
    switch_setting("breaker", "Keep requests from responders that fail",
                   x.breaker),
    share_setting("breaker-errors",
                  "Share of failed requests at which it opens; 0 looks at none",
                  c.error_share),
    duration_setting("breaker-latency",
                     "99th percentile of durations above which it opens; 0s "
                     "looks at none",
                     c.latency, 0s, 5min),
    duration_setting("breaker-window", "How far it looks back", c.window, 1s,
                     1h),
    count_setting("breaker-requests-min",
                  "Requests in that time without which it does not open",
                  c.requests_min, 1, 1'000'000),
    duration_setting("breaker-open",
                     "How long it stays open at first, and twice as long after "
                     "each bad probe",
                     c.open_time, 100ms, 1h),
    duration_setting("breaker-open-max", "The longest that this may become",
                     c.open_time_max, 100ms, 24h),
    count_setting("breaker-probes",
                  "Requests that all have to be good before it closes",
                  c.probes, 1, 100),
    duration_setting("breaker-timeout-min",
                     "Requests that time out before that count as nothing",
                     c.timeout_min, 0s, 5min),
  };
}

std::vector<action_rule>
action_rules(const std::vector<config_section>& sections,
             const std::string& file) {
  std::vector<action_rule> rules;
  for_each_section(
    sections, action_bounds, file, [&](const config_section& section) {
      action_rule rule{section.pattern, {}};
      apply_section(section, action_settings(rule.options), file);
      if (auto wrong = net::check_action_options(rule.options); !wrong.empty())
        refuse_section(section, file, std::string{wrong});
      rules.push_back(std::move(rule));
    });
  return rules;
}

} // namespace callboard::cmd
