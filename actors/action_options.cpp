#include <callboard/actors/action_options.hpp>

#include <algorithm>

#include <callboard/messages/topic.hpp>

namespace callboard {

const action_rule* rule_of(const std::vector<action_rule>& rules,
                           std::string_view action) noexcept {
  auto i = std::ranges::find_if(rules, [action](const action_rule& x) {
    return matches(x.pattern, action);
  });
  return i != rules.end() ? &*i : nullptr;
}

} // namespace callboard
