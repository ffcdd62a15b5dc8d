#include <callboard/actors/publish_screen.hpp>

#include <algorithm>

namespace callboard {

void publish_screen::assign(const std::vector<topic_rule>& rules) {
  rules_ = &rules;
  tree_ = {};
  auto screens = [](const topic_rule& x) {
    return x.options.screens_publications();
  };
  if (std::ranges::none_of(rules, screens))
    return;
  // Those that refuse nothing as well: they may stand in front.
  for (uint32_t i = 0; i < rules.size(); ++i)
    if (auto& number = tree_[rules[i].pattern]; number == 0)
      number = i + 1;
}

const topic_options* publish_screen::find(std::string_view topic) const {
  uint32_t first = 0;
  tree_.match(topic, [&first](uint32_t number) {
    if (first == 0 || number < first)
      first = number;
  });
  return first == 0 ? nullptr : &(*rules_)[first - 1].options;
}

std::optional<publish_refusal> publish_screen::refuse(std::string_view topic,
                                                      size_t bytes) const {
  auto* x = find(topic);
  if (x == nullptr)
    return std::nullopt;
  if (x->publishers != publishers::all)
    return publish_refusal::publishers;
  if (x->payload_bytes_max > 0 && bytes > x->payload_bytes_max)
    return publish_refusal::payload_bytes;
  return std::nullopt;
}

} // namespace callboard
