#pragma once

#include <memory>
#include <string>

#include <spdlog/logger.h>

namespace callboard {

/// Returns the logger of a layer: `net`, `actors`, `cmd`. An application that
/// registers a logger `callboard.<layer>` with spdlog before gets that one;
/// otherwise it is a copy of spdlog's default logger. Safe on all threads.
std::shared_ptr<spdlog::logger> logger(const std::string& layer);

} // namespace callboard
