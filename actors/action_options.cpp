#include <callboard/actors/action_options.hpp>

#include <algorithm>

#include <callboard/actors/tenant_space.hpp>
#include <callboard/messages/topic.hpp>

namespace callboard {

const action_rule* rule_of(const std::vector<action_rule>& rules,
                           std::string_view action) noexcept {
  auto name = visible_name(action);
  auto i = std::ranges::find_if(rules, [name](const action_rule& x) {
    return matches(x.pattern, name);
  });
  return i != rules.end() ? &*i : nullptr;
}

} // namespace callboard
