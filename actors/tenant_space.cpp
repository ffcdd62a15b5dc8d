#include <callboard/actors/tenant_space.hpp>

namespace callboard {

namespace {

std::string join(std::string_view prefix, std::string_view tenant,
                 std::string_view name) {
  std::string result;
  result.reserve(prefix.size() + tenant.size() + 1 + name.size());
  result += prefix;
  result += tenant;
  result += '/';
  result += name;
  return result;
}

} // namespace

bool is_tenant_name(std::string_view x) noexcept {
  return check_topic(x) == subject_error::none
         && x.find('/') == std::string_view::npos;
}

std::string tenant_topic(std::string_view tenant, std::string_view topic) {
  if (tenant.empty())
    return std::string{topic};
  return join(topic.starts_with('$') ? tenant_reserved_prefix : tenant_prefix,
              tenant, topic);
}

std::string tenant_action(std::string_view tenant, std::string_view action) {
  return join(tenant_prefix, tenant, action);
}

std::string tenant_user(std::string_view tenant, std::string_view user) {
  return tenant.empty() ? std::string{user} : join(tenant_prefix, tenant, user);
}

tenant_parts split_tenant(std::string_view full) noexcept {
  for (auto prefix : {tenant_prefix, tenant_reserved_prefix}) {
    if (!full.starts_with(prefix))
      continue;
    auto rest = full.substr(prefix.size());
    if (auto slash = rest.find('/'); slash != std::string_view::npos)
      return {true, rest.substr(0, slash), rest.substr(slash + 1)};
  }
  return {false, {}, full};
}

std::string dead_letter_topic(std::string_view topic) {
  auto [found, tenant, visible] = split_tenant(topic);
  return tenant_topic(tenant, std::string{dead_letter_prefix}.append(visible));
}

bool is_dead_letter_topic(std::string_view topic) noexcept {
  return visible_name(topic).starts_with(dead_letter_prefix);
}

subject_error check_full_name(bool isolated, std::string_view x,
                              name_check check) noexcept {
  auto parts = split_tenant(x);
  if (!isolated || !parts.found)
    return check(x);
  auto reserved = parts.visible.starts_with('$');
  if (reserved != x.starts_with(tenant_reserved_prefix))
    return subject_error::reserved;
  if (parts.tenant != "+" && !is_tenant_name(parts.tenant))
    return subject_error::reserved;
  // Several tenants at once only where there may be a pattern.
  if (auto wrong = check(parts.tenant); wrong != subject_error::none)
    return wrong;
  return check(parts.visible);
}

} // namespace callboard
