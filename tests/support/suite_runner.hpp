#pragma once

namespace callboard {

/// Runs the suite whose name comes first in `argv`, or all that the program has
/// where that is an option of CAF's runner.
/// @returns the exit code: not 0 if a check failed, and if there is no such
///          suite.
int run_suites(int argc, char** argv);

} // namespace callboard
