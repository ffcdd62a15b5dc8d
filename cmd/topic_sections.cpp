#include "topic_sections.hpp"

#include <string_view>
#include <unordered_map>

#include <callboard/net/server_options.hpp>

#include "settings.hpp"

namespace callboard::cmd {

namespace {

using namespace std::chrono_literals;

constexpr size_t payload_bytes_max = 16 * 1024 * 1024;
constexpr size_t publish_rate_max = 1'000'000;

// Says what a section may set.
std::string names_of(const std::vector<setting>& table) {
  std::string result;
  for (auto& x : table)
    result += (result.empty() ? "a topic section takes " : ", ") + x.name;
  return result;
}

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
      if (line.name == "durability" && line.value != "none")
        return file + ", line " + std::to_string(line.line) + ", durability: "
               + line.value + " for topic '" + section.pattern
               + "' needs a folder to keep it in; set --store-dir PATH, or "
                 "store-dir in front of the sections";
  return {};
}

std::vector<topic_rule> topic_rules(const std::vector<config_section>& sections,
                                    const std::string& file) {
  std::vector<topic_rule> rules;
  std::unordered_map<std::string_view, size_t> lines;
  for (auto& section : sections) {
    auto fail = [&](const std::string& what) {
      throw CLI::ValidationError{
        file + ", line " + std::to_string(section.line), what};
    };
    auto name = "topic '" + section.pattern + '\'';
    if (rules.size() == topic_sections_max)
      fail("there are more than " + std::to_string(topic_sections_max)
           + " sections");
    if (auto wrong = net::check_rule_pattern(section.pattern); !wrong.empty())
      fail(name + ": " + std::string{wrong});
    auto [first, is_new] = lines.emplace(section.pattern, section.line);
    if (!is_new)
      fail(name + " has a section already, in line "
           + std::to_string(first->second));
    topic_rule rule{section.pattern, {}};
    auto table = topic_settings(rule.options);
    auto others = names_of(table);
    settings{std::move(table)}.apply_lines(section.lines, file, others);
    if (rule.options.publish_burst > 0 && rule.options.publish_rate == 0)
      fail(name + ": publish-burst means nothing without publish-rate");
    rules.push_back(std::move(rule));
  }
  return rules;
}

} // namespace callboard::cmd
