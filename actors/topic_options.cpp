#include <callboard/actors/topic_options.hpp>

#include <algorithm>

#include <callboard/messages/topic.hpp>

namespace callboard {

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

const topic_options& options_of(const std::vector<topic_rule>& rules,
                                std::string_view topic) noexcept {
  static const topic_options nothing;
  auto i = std::ranges::find_if(rules, [topic](const topic_rule& x) {
    return matches(x.pattern, topic);
  });
  return i == rules.end() ? nothing : i->options;
}

} // namespace callboard
