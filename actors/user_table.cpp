#include <callboard/actors/user_table.hpp>

namespace callboard {

user_table::user_table(const node_options& options)
  : user_max_{options.user_connections_max},
    tenant_max_{options.tenant_connections_max},
    publishes_{options.publishes},
    users_{lingering_max},
    tenants_{lingering_max} {
}

bool user_table::is_needed(const node_options& options) noexcept {
  return options.user_connections_max > 0 || options.tenant_connections_max > 0
         || options.publishes.on();
}

user_place user_table::enter(const std::string& user, const std::string& tenant,
                             int64_t now_ms) {
  entry* by_user = nullptr;
  entry* by_tenant = nullptr;
  if (!user.empty())
    by_user = &users_.get(user, now_ms, [this] {
      entry made;
      if (publishes_.on())
        made.publishes = std::make_shared<shared_token_bucket>(publishes_);
      return made;
    });
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
