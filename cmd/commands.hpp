#pragma once

#include <CLI/CLI.hpp>

namespace callboard::cmd {

/// The commands. Each adds itself to the program, runs from CLI11's callback,
/// and sets `exit_code` (see `cmd::exit_code`); wrong values are thrown as
/// CLI11's errors.
void add_serve_command(CLI::App& app, int& exit_code);

void add_sub_command(CLI::App& app, int& exit_code);

void add_pool_size_command(CLI::App& app, int& exit_code);

void add_pub_command(CLI::App& app, int& exit_code);

void add_request_command(CLI::App& app, int& exit_code);

void add_respond_command(CLI::App& app, int& exit_code);

void add_store_command(CLI::App& app, int& exit_code);

void add_token_command(CLI::App& app, int& exit_code);

void add_top_command(CLI::App& app, int& exit_code);

} // namespace callboard::cmd
