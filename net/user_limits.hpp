#pragma once

#include <memory>

#include <callboard/actors/user_table.hpp>

namespace callboard::net {

/// Returns a register of users and tenants for all loops of a node, which any
/// thread may call.
std::shared_ptr<user_register> make_user_register(const client_limits& x);

} // namespace callboard::net
