#include <callboard/cmd/action_sections.hpp>

#include <callboard/cmd/settings.hpp>

#include "support/test.hpp"

using namespace callboard;
using namespace callboard::cmd;
using namespace std::chrono_literals;

namespace {

struct fixture {
  // Returns what is wrong.
  std::string read(const std::string& text) {
    config x;
    if (auto wrong = parse_config(text, x); !wrong.empty())
      return wrong;
    try {
      rules = action_rules(x.sections, "callboard.conf");
    } catch (const CLI::ParseError& error) {
      return error.what();
    }
    return {};
  }

  // Reads one section. Returns what is wrong.
  std::string read_lines(const std::string& lines) {
    return read("[action x]\n" + lines + '\n');
  }

  const action_options& x() const {
    return rules.at(0).options;
  }

  // Reads a value of a breaker. Returns what is wrong.
  std::string read_value(const std::string& name, const std::string& value) {
    return read_lines("breaker = on\n" + name + " = " + value);
  }

  std::vector<action_rule> rules;
};

// A file of so many sections.
std::string many(size_t n) {
  std::string result;
  for (size_t i = 0; i < n; ++i)
    result += "[action x/" + std::to_string(i) + "]\n";
  return result;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(action_sections_tests, fixture)

CAF_TEST(no section makes no rule) {
  CAF_CHECK_EQUAL(read("loops = 1\n[topic x]\n"), "");
  CAF_CHECK(rules.empty());
}

CAF_TEST(a section sets all that an action has) {
  CAF_CHECK_EQUAL(read("[action bank/+]\nrate = 50\nburst = 100\nbreaker = on\n"
                       "breaker-errors = 0.25\nbreaker-latency = 800ms\n"
                       "breaker-window = 30s\nbreaker-requests-min = 40\n"
                       "breaker-open = 2s\nbreaker-open-max = 5m\n"
                       "breaker-probes = 7\nbreaker-timeout-min = 500ms\n"),
                  "");
  CAF_REQUIRE_EQUAL(rules.size(), 1u);
  CAF_CHECK_EQUAL(rules[0].pattern, "bank/+");
  action_options expected{
    50, 100, true, {0.25, 800ms, 30s, 40, 2s, 5min, 7, 500ms}};
  CAF_CHECK(x() == expected);
}

CAF_TEST(a section without a line is a rule that allows everything) {
  CAF_CHECK_EQUAL(read("[action a/b]\n[action a/+]\nrate = 1\n"), "");
  CAF_REQUIRE_EQUAL(rules.size(), 2u);
  CAF_CHECK(rules[0].options == action_options{});
  CAF_CHECK_EQUAL(rule_of(rules, "a/b")->options.rate.per_second, 0u);
  CAF_CHECK_EQUAL(rule_of(rules, "a/c")->options.rate.per_second, 1u);
}

CAF_TEST(rates hold at their ends and one past them) {
  CAF_CHECK_EQUAL(read_lines("rate = 0"), "");
  CAF_CHECK_EQUAL(read_lines("rate = 1000000\nburst = 1000000"), "");
  CAF_CHECK_EQUAL(x().rate.per_second, 1'000'000u);
  CAF_CHECK_EQUAL(x().rate.burst, 1'000'000u);
  CAF_CHECK_EQUAL(read_lines("rate = 1000001"),
                  "callboard.conf, line 2, rate: '1000001' is out of bounds; "
                  "it takes 0 to 1000000");
  CAF_CHECK_NOT_EQUAL(read_lines("rate = 1\nburst = 1000001"), "");
  CAF_CHECK_NOT_EQUAL(read_lines("rate = 0.5"), "");
}

CAF_TEST(shares hold at their ends and past them) {
  CAF_CHECK_EQUAL(read_value("breaker-errors", "0.001"), "");
  CAF_CHECK_EQUAL(read_value("breaker-errors", "1"), "");
  CAF_CHECK_EQUAL(x().circuit.error_share, 1.0);
  CAF_CHECK_EQUAL(read_value("breaker-errors", "1.001"),
                  "callboard.conf, line 3, breaker-errors: '1.001' is out of "
                  "bounds; it takes 0 to 1");
  CAF_CHECK_EQUAL(read_value("breaker-errors", "50%"),
                  "callboard.conf, line 3, breaker-errors: '50%' is not a "
                  "share like 0.5; it takes 0 to 1");
}

CAF_TEST(what a breaker takes holds at its ends and one past them) {
  struct row {
    const char* name;
    std::vector<std::string> within;
    std::vector<std::string> beyond;
  };
  const row rows[] = {
    {"breaker-latency", {"0s", "5m"}, {"300001ms"}},
    {"breaker-window", {"1s", "1h"}, {"999ms", "3600001ms"}},
    {"breaker-requests-min", {"1", "1000000"}, {"0", "1000001"}},
    {"breaker-open", {"100ms", "1h"}, {"99ms", "3600001ms"}},
    {"breaker-open-max", {"100ms", "24h"}, {"99ms", "86400001ms"}},
    {"breaker-probes", {"1", "100"}, {"0", "101"}},
    {"breaker-timeout-min", {"0s", "5m"}, {"300001ms"}},
  };
  for (auto& x : rows) {
    for (auto& value : x.within)
      CAF_CHECK_EQUAL(read_value(x.name, value), "");
    for (auto& value : x.beyond)
      CAF_CHECK_NOT_EQUAL(read_value(x.name, value), "");
  }
}

CAF_TEST(what means nothing is told with the line of its section) {
  CAF_CHECK_EQUAL(read("[action a]\n[action b]\nburst = 3\n"),
                  "callboard.conf, line 2: action 'b': A burst means nothing "
                  "without a rate.");
  CAF_CHECK_EQUAL(read_value("breaker-errors", "0"),
                  "callboard.conf, line 1: action 'x': A breaker that looks at "
                  "neither errors nor latency never opens.");
  CAF_CHECK_EQUAL(read_value("breaker-errors", "0\nbreaker-latency = 1ms"), "");
}

CAF_TEST(an unknown name is told with its line and what there is) {
  CAF_CHECK_EQUAL(read("[action a]\nrate = 1\nretain = on\n"),
                  "callboard.conf, line 3: there is no setting 'retain'; an "
                  "action section takes rate, burst, breaker, breaker-errors, "
                  "breaker-latency, breaker-window, breaker-requests-min, "
                  "breaker-open, breaker-open-max, breaker-probes, "
                  "breaker-timeout-min");
}

CAF_TEST(what is neither an action nor a pattern is refused with its line) {
  CAF_CHECK_EQUAL(read("[topic a]\n[action a//b]\n"),
                  "callboard.conf, line 2: action 'a//b': The subject has an "
                  "empty segment.");
  CAF_CHECK_EQUAL(read("[action callboard.echo]\n"),
                  "callboard.conf, line 1: action 'callboard.echo': The "
                  "subject is reserved for the server.");
  CAF_CHECK_NOT_EQUAL(read("[action $user/a]\n"), "");
}

CAF_TEST(a pattern has one section for topics and one for actions) {
  CAF_CHECK_EQUAL(read("[action a]\n[topic a]\n"), "");
  CAF_CHECK_EQUAL(read("[action a]\n[topic a]\n[action \"a\"]\n"),
                  "callboard.conf, line 3: action 'a' has a section already, "
                  "in line 1");
}

CAF_TEST(there are no more sections than a file may have) {
  CAF_CHECK_EQUAL(read("[topic a]\n" + many(action_sections_max)), "");
  CAF_CHECK_EQUAL(rules.size(), action_sections_max);
  CAF_CHECK_EQUAL(read(many(action_sections_max + 1)),
                  "callboard.conf, line 1001: there are more than 1000 action "
                  "sections");
}

CAF_TEST_FIXTURE_SCOPE_END()
