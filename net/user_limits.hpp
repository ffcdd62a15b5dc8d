#pragma once

#include <memory>

#include <callboard/actors/user_table.hpp>

namespace callboard::net {

/// Returns a register of users and tenants for all loops of a node, which any
/// thread may call; null if these options limit nothing by them.
std::shared_ptr<user_register> make_user_register(const node_options& options);

} // namespace callboard::net
