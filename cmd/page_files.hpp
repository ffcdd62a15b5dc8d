#pragma once

#include <span>

#include <callboard/net/page_file.hpp>

namespace callboard::cmd {

/// Returns the files of the page that the program brings along, in no
/// particular order: those of the folder `web`, or without the option
/// CALLBOARD_PAGE one that says so. They are embedded at build time. From any
/// thread.
std::span<const net::page_file> page_files();

} // namespace callboard::cmd
