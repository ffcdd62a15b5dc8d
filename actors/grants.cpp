#include <callboard/actors/grants.hpp>

#include <algorithm>

namespace callboard {

std::string_view to_string(operation x) noexcept {
  switch (x) {
    case operation::subscribe:
      return "subscribe";
    case operation::publish:
      return "publish";
    case operation::request:
      return "request";
    case operation::register_action:
      return "register";
  }
  return "unknown";
}

subject_error grants::add(operation what, std::string_view pattern) {
  auto error = check_pattern(pattern);
  if (error != subject_error::none && error != subject_error::reserved)
    return error;
  auto& to = lists_[static_cast<size_t>(what)];
  if (auto& known = to.tree[pattern]; !known) {
    known = true;
    if (is_pattern(pattern))
      to.patterns.emplace_back(pattern);
  }
  return subject_error::none;
}

bool grants::allows(operation what, std::string_view subject) const {
  auto& from = lists_[static_cast<size_t>(what)];
  if (is_pattern(subject))
    return std::ranges::any_of(from.patterns, [subject](auto& x) {
      return covers(x, subject);
    });
  auto result = false;
  from.tree.match(subject, [&result](bool) { result = true; });
  return result;
}

size_t grants::size(operation what) const noexcept {
  return lists_[static_cast<size_t>(what)].tree.size();
}

} // namespace callboard
