#include "support/suite_runner.hpp"

// CAF's runner takes long to compile; all test programs share this object.
#define CAF_TEST_NO_MAIN

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include <caf/test/unit_test_impl.hpp>

namespace {

/// CAF's runner takes a regex and passes when no suite matches it; a name here
/// is exact, and an unknown one fails.
bool select_suite(std::string& name) {
  auto known = caf::test::engine::available_suites();
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    std::cerr << "no suite " << name << " in this program; it has:\n";
    for (auto& x : known)
      std::cerr << "  " << x << '\n';
    return false;
  }
  std::string regex = "--suites=^";
  for (auto c : name) {
    if (c == '.')
      regex += '\\';
    regex += c;
  }
  name = regex + '$';
  return true;
}

} // namespace

namespace callboard {

int run_suites(int argc, char** argv) {
  std::vector<std::string> words(argv, argv + argc);
  if (words.size() > 1 && words[1].front() != '-' && !select_suite(words[1]))
    return 2;
  // ctest has a bound of its own; sanitizers make some tests slow. Who asks for
  // more seeds than usual knows for how long.
  auto unbound = std::getenv("CALLBOARD_TEST_SEEDS") != nullptr;
  words.push_back(unbound ? "--max-runtime=0" : "--max-runtime=280");
  std::vector<char*> args;
  for (auto& word : words)
    args.push_back(word.data());
  return caf::test::main(static_cast<int>(args.size()), args.data());
}

} // namespace callboard
