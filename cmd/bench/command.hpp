#pragma once

#include <CLI/CLI.hpp>

#include "callboard_dialect.hpp"

namespace callboard::cmd {

/// Adds `bench echo|fanout|rooms|idle URL …` to the program.
/// @param make_dialect makes what is spoken with the server.
/// @param exit_code is set once a run has ended: see `run_bench`. Words that
///        cannot be parsed are thrown as CLI11's `ParseError`.
void add_bench_command(CLI::App& app, int& exit_code,
                       bench::dialect_factory make_dialect
                       = bench::make_own_dialect);

} // namespace callboard::cmd
