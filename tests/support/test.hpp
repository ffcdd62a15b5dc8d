#pragma once

// Gives unit suites CAF's test DSL (CAF_TEST, SCENARIO, CHECK_EQ, expect, …).
// It is included here and nowhere else.
//
// The build names the suite after the file (tests/actors/broker.cpp is suite
// actors.broker), so a test defines no CAF_SUITE of its own. A failed check
// makes the suite's test fail; a suite that is not in the program does too.
//
// Two traps of test_coordinator_fixture: it hangs at teardown while an actor
// arms its timer again (kill the actors first), and advance_time(300s) fires a
// 30 s timer once (step from one due timer to the next).

#include <caf/test/bdd_dsl.hpp>
