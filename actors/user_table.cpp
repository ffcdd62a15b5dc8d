#include <callboard/actors/user_table.hpp>

namespace callboard {

user_table::user_table(const client_limits& limits)
  : users_{lingering_max}, tenants_{lingering_max} {
  set_limits(limits);
}

void user_table::set_limits(const client_limits& x) {
  user_max_ = x.user_connections_max;
  tenant_max_ = x.tenant_connections_max;
  publishes_ = x.publishes;
}

std::shared_ptr<shared_token_bucket>
user_table::publishes_of(const std::string& user, int64_t now_ms) {
  auto* found = users_.find(user);
  if (found == nullptr)
    return nullptr;
  found->publishes = renewed(found->publishes, publishes_, now_ms);
  return found->publishes;
}

user_place user_table::enter(const std::string& user, const std::string& tenant,
                             int64_t now_ms) {
  entry* by_user = nullptr;
  entry* by_tenant = nullptr;
  if (!user.empty())
    by_user = &users_.get(user, now_ms, [] { return entry{}; });
  if (!tenant.empty())
    by_tenant = &tenants_.get(tenant, now_ms, [] { return entry{}; });
  auto full = [](const entry* x, size_t max) {
    return x != nullptr && max > 0 && x->connections >= max;
  };
  user_place result;
  if (full(by_user, user_max_))
    result.refused = limit_kind::user_connections;
  else if (full(by_tenant, tenant_max_))
    result.refused = limit_kind::tenant_connections;
  if (result.refused) {
    // One of the two may have been made only now.
    users_.settle(user, now_ms);
    tenants_.settle(tenant, now_ms);
    return result;
  }
  if (by_user != nullptr) {
    ++by_user->connections;
    by_user->publishes = renewed(by_user->publishes, publishes_, now_ms);
    result.publishes = by_user->publishes;
  }
  if (by_tenant != nullptr)
    ++by_tenant->connections;
  return result;
}

void user_table::leave(const std::string& user, const std::string& tenant,
                       int64_t now_ms) {
  leave(users_, user, now_ms);
  leave(tenants_, tenant, now_ms);
}

void user_table::leave(table& from, const std::string& name, int64_t now_ms) {
  auto* found = from.find(name);
  if (found == nullptr)
    return;
  --found->connections;
  from.settle(name, now_ms);
}

} // namespace callboard
