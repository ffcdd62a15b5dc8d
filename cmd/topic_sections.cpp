#include "topic_sections.hpp"

#include <string_view>
#include <utility>

#include <callboard/net/server_options.hpp>

#include "rule_sections.hpp"

namespace callboard::cmd {

namespace {

using namespace std::chrono_literals;

constexpr section_bounds topic_bounds{section_kind::topic, topic_sections_max,
                                      net::check_rule_pattern};
constexpr size_t payload_bytes_max = 16 * 1024 * 1024;
constexpr size_t publish_rate_max = 1'000'000;
constexpr size_t replicas_max = 3;

// A word that stands for one of `words`, the first of which is the default.
template <class T>
setting word_setting(std::string name, std::string help, T& x,
                     std::vector<std::pair<std::string, T>> words) {
  std::string bounds;
  for (auto& word : words)
    bounds += (bounds.empty() ? "" : ", ") + word.first;
  auto first = words.front().first;
  auto set = [&x, words = std::move(words),
              bounds](std::string_view text) -> std::string {
    for (auto& [word, value] : words)
      if (word == text) {
        x = value;
        return {};
      }
    return '\'' + std::string{text} + "' is not one of " + bounds;
  };
  // Sections have no values but those that they were read with.
  return {std::move(name), "WORD", std::move(help), bounds, first, set, {}};
}

setting overflow_setting(overflow_policy& x) {
  std::vector<std::pair<std::string, overflow_policy>> words;
  for (size_t i = 0; i < overflow_policy_count; ++i) {
    auto policy = static_cast<overflow_policy>(i);
    words.emplace_back(to_string(policy), policy);
  }
  return word_setting("overflow",
                      "What becomes of events when a subscriber is too slow", x,
                      std::move(words));
}

setting durability_setting(durability& x) {
  return word_setting<durability>("durability",
                                  "How much of a topic outlives the process", x,
                                  {{"none", durability::none},
                                   {"memory", durability::memory},
                                   {"disk", durability::disk}});
}

setting publishers_setting(publishers& x) {
  return word_setting<publishers>(
    "publishers",
    "Which clients may publish; the application "
    "always may",
    x, {{"all", publishers::all}, {"server", publishers::server}});
}

} // namespace

std::vector<setting> topic_settings(topic_options& x) {
  return {
    count_setting("history-size", "Last publications that a topic keeps",
                  x.history_size, 0, 100'000),
    duration_setting("history-ttl",
                     "Time for which it keeps each of them; 0s sets no limit",
                     x.history_ttl, 0s, 366 * 24h),
    switch_setting("retain", "Give the last publication to who subscribes anew",
                   x.retain),
    switch_setting("presence", "Keep who is there and tell those who ask",
                   x.presence),
    overflow_setting(x.overflow),
    durability_setting(x.durability),
    count_setting("replicas",
                  "Nodes of a cluster that have it on their disks, with "
                  "durability disk",
                  x.replicas, 1, replicas_max),
    size_setting("payload-bytes-max",
                 "Largest payload from a client; 0 leaves it to "
                 "frame-bytes-max",
                 x.payload_bytes_max, 0, payload_bytes_max),
    count_setting("publish-rate",
                  "Publications a second from all clients; 0 sets no limit",
                  x.publish_rate, 0, publish_rate_max),
    count_setting("publish-burst",
                  "How many of them at once; 0 takes as many as publish-rate",
                  x.publish_burst, 0, publish_rate_max),
    publishers_setting(x.publishers),
  };
}

std::string check_durability(const std::vector<config_section>& sections,
                             const std::string& file) {
  for (auto& section : sections)
    for (auto& line : section.lines)
      if (section.kind == section_kind::topic && line.name == "durability"
          && line.value != "none")
        return file + ", line " + std::to_string(line.line) + ", durability: "
               + line.value + " for topic '" + section.pattern
               + "' needs a folder to keep it in; set --store-dir PATH, or "
                 "store-dir in front of the sections";
  return {};
}

std::vector<topic_rule> topic_rules(const std::vector<config_section>& sections,
                                    const std::string& file) {
  std::vector<topic_rule> rules;
  for_each_section(
    sections, topic_bounds, file, [&](const config_section& section) {
      topic_rule rule{section.pattern, {}};
      apply_section(section, topic_settings(rule.options), file);
      if (rule.options.publish_burst > 0 && rule.options.publish_rate == 0)
        refuse_section(section, file,
                       "publish-burst means nothing without publish-rate");
      auto& x = rule.options;
      if (x.replicas > 1 && x.durability != durability::disk)
        refuse_section(section, file, "replicas need durability = disk");
      if (x.replicas > 1 && x.presence)
        refuse_section(section, file,
                       "replicas do not go together with presence");
      rules.push_back(std::move(rule));
    });
  return rules;
}

} // namespace callboard::cmd
