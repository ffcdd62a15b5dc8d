#include <callboard/actors/connection.hpp>

#include <callboard/actors/tenant_space.hpp>

// What the client calls its topics and actions, and what the node does, where
// tenants are isolated.

namespace callboard {

std::string_view connection::full_name(std::string_view topic) const {
  if (!isolated())
    return topic;
  auto& result = ctx_.full_name;
  auto reserved = topic.starts_with('$');
  result = reserved ? tenant_reserved_prefix : tenant_prefix;
  result += who_.tenant;
  result += '/';
  result += topic;
  return result;
}

std::string connection::full_action(std::string_view action) const {
  return ctx_.node.options.tenant_isolation ? tenant_action(who_.tenant, action)
                                            : std::string{action};
}

std::string connection::full_user() const {
  return isolated() && !who_.user.empty() ? tenant_user(who_.tenant, who_.user)
                                          : who_.user;
}

bool connection::check_names(uint32_t seq_id) {
  if (!ctx_.node.options.tenant_isolation)
    return true;
  // A user without a tenant must not pass for a tenant's.
  auto good = who_.tenant.empty() ? !split_tenant(who_.user).found
                                  : is_tenant_name(who_.tenant);
  if (good)
    return true;
  ctx_.metrics.refusals_by(limit_kind::tenant_name)->inc();
  write_error(seq_id, errc::forbidden,
              who_.tenant.empty() ? "A user of this name needs a tenant."
                                  : "The tenant's name fits into no topic.");
  close(close_code::forbidden, to_string(limit_kind::tenant_name));
  return false;
}

} // namespace callboard
