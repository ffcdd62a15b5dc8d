#pragma once

#include <functional>
#include <initializer_list>
#include <vector>

#include <caf/expected.hpp>
#include <caf/fwd.hpp>
#include <caf/telemetry/counter.hpp>

#include <callboard/actors/authority.hpp>

// Parts of a server that need no loop. Not installed.

namespace callboard::net {

/// Returns the counter of reloads that were done, or refused.
caf::telemetry::int_counter* reload_counter(caf::actor_system& sys, bool done);

using read_function = decltype(authority::reload);

using commits = std::vector<std::function<void()>>;

/// Reads everything anew that stands in files; empty functions are left out.
/// @returns what makes it count.
caf::expected<commits>
read_files(std::initializer_list<const read_function*> readers);

} // namespace callboard::net
