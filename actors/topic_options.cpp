#include <callboard/actors/topic_options.hpp>

#include <algorithm>

#include <callboard/actors/tenant_space.hpp>
#include <callboard/messages/topic.hpp>

namespace callboard {

namespace {

// Returns whether some topic matches both.
bool overlap(std::string_view x, std::string_view y) noexcept {
  if (x.starts_with('$') != y.starts_with('$'))
    return false;
  for (;;) {
    auto x_end = x.find('/');
    auto y_end = y.find('/');
    auto x_segment = x.substr(0, x_end);
    auto y_segment = y.substr(0, y_end);
    if (x_segment == "#" || y_segment == "#")
      return true;
    if (x_segment != "+" && y_segment != "+" && x_segment != y_segment)
      return false;
    if (x_end == x.npos || y_end == y.npos)
      return x_end == y_end;
    x.remove_prefix(x_end + 1);
    y.remove_prefix(y_end + 1);
  }
}

} // namespace

std::string_view to_string(overflow_policy x) noexcept {
  switch (x) {
    case overflow_policy::disconnect:
      return "disconnect";
    case overflow_policy::drop_oldest:
      return "drop-oldest";
    case overflow_policy::drop_newest:
      return "drop-newest";
    case overflow_policy::latest:
      return "latest";
  }
  return "unknown";
}

std::string_view to_string(publish_refusal x) noexcept {
  switch (x) {
    case publish_refusal::publishers:
      return "publishers";
    case publish_refusal::payload_bytes:
      return "payload_bytes";
    case publish_refusal::rate:
      return "rate";
  }
  return "unknown";
}

const topic_options& options_of(const std::vector<topic_rule>& rules,
                                std::string_view topic) noexcept {
  static const topic_options nothing;
  auto name = visible_name(topic);
  auto i = std::ranges::find_if(rules, [name](const topic_rule& x) {
    return matches(x.pattern, name);
  });
  return i == rules.end() ? nothing : i->options;
}

std::vector<topic_rule> durable_rules(const std::vector<topic_rule>& rules) {
  std::vector<topic_rule> result;
  // Others count only where they come before one that is durable.
  for (auto i = rules.rbegin(); i != rules.rend(); ++i) {
    auto counts = [i](const topic_rule& x) {
      return x.options.durability != durability::none
             && overlap(i->pattern, x.pattern);
    };
    if (i->options.durability != durability::none
        || std::ranges::any_of(result, counts))
      result.push_back({i->pattern,
                        {.durability = i->options.durability,
                         .replicas = i->options.replicas}});
  }
  std::ranges::reverse(result);
  return result;
}

topic_options revised(const topic_options& living, topic_options wanted) {
  wanted.durability = living.durability;
  wanted.replicas = living.replicas;
  if (living.durability == durability::disk
      && living.has_history() != wanted.has_history())
    wanted.history_size = living.history_size;
  return wanted;
}

bool may_retain(const std::vector<topic_rule>& rules,
                std::string_view pattern) noexcept {
  auto name = visible_name(pattern);
  return std::ranges::any_of(rules, [name](const topic_rule& x) {
    return x.options.retain && overlap(x.pattern, name);
  });
}

bool may_be_durable(const std::vector<topic_rule>& rules,
                    std::string_view pattern) noexcept {
  auto name = visible_name(pattern);
  return std::ranges::any_of(rules, [name](const topic_rule& x) {
    return x.options.durability != durability::none && overlap(x.pattern, name);
  });
}

} // namespace callboard
