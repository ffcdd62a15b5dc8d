#pragma once

#include <callboard/actors/leaks.hpp>

namespace callboard::net {

/// Logs a leak as a warning: `leak_found`. Any thread.
void log_leak(const leak_report& x);

} // namespace callboard::net
