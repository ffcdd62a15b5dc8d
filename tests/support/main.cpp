// Runs the suites of one layer: `actors_tests actors.broker [CAF's options]`,
// or all of them without a name.

#include "support/suite_runner.hpp"
#include "support/type_ids.hpp"

int main(int argc, char** argv) {
  callboard::init_type_ids();
  return callboard::run_suites(argc, argv);
}
