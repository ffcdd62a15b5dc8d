#include <callboard/actors/cluster/view.hpp>

#include <algorithm>

namespace callboard {

std::string to_string(member_state x) {
  return x == member_state::leaving ? "leaving" : "up";
}

bool from_string(caf::string_view name, member_state& x) {
  if (name == "up")
    x = member_state::up;
  else if (name == "leaving")
    x = member_state::leaving;
  else
    return false;
  return true;
}

bool from_integer(uint8_t number, member_state& x) {
  if (number > static_cast<uint8_t>(member_state::leaving))
    return false;
  x = static_cast<member_state>(number);
  return true;
}

const member* cluster_view::find(std::string_view name) const noexcept {
  auto i = std::ranges::find(members, name, &member::name);
  return i == members.end() ? nullptr : &*i;
}

} // namespace callboard
