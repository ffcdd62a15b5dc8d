#pragma once

#include <string_view>

#include "bench/dialect.hpp"

namespace callboard::cmd::bench {

/// Returns what makes the dialect of this name; null if there is none.
/// @param name one of `nats`, `mqtt`, `socketio`, `nchan`.
dialect_factory find_dialect(std::string_view name);

} // namespace callboard::cmd::bench
