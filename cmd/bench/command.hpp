#pragma once

#include <CLI/CLI.hpp>

namespace callboard::cmd {

/// Adds `bench echo|fanout|rooms|idle URL …` to the program.
/// @param exit_code is set once a run has ended: see `run_bench`. Words that
///        cannot be parsed are thrown as CLI11's `ParseError`.
void add_bench_command(CLI::App& app, int& exit_code);

} // namespace callboard::cmd
