#include <callboard/cmd/topic_sections.hpp>

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
      rules = topic_rules(x.sections, "callboard.conf");
    } catch (const CLI::ParseError& error) {
      return error.what();
    }
    return {};
  }

  // Reads one section with one line in it. Returns what is wrong.
  std::string read_line(const std::string& line) {
    return read("[topic x]\n" + line + '\n');
  }

  // Reads one section. Returns what is wrong.
  std::string read_pattern(const std::string& pattern) {
    return read("[topic " + pattern + "]\n");
  }

  const topic_options& x() const {
    return rules.at(0).options;
  }

  std::vector<topic_rule> rules;
};

// Returns what a file wants of a store that is not there.
std::string check_without_store(const std::string& text) {
  config x;
  parse_config(text, x);
  return check_durability(x.sections, "callboard.conf");
}

// A file of so many sections.
std::string many(size_t n) {
  std::string result;
  for (size_t i = 0; i < n; ++i)
    result += "[topic x/" + std::to_string(i) + "]\n";
  return result;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(topic_sections_tests, fixture)

CAF_TEST(no section makes no rule) {
  CAF_CHECK_EQUAL(read("loops = 1\n"), "");
  CAF_CHECK(rules.empty());
}

CAF_TEST(a section sets all that a topic has) {
  CAF_CHECK_EQUAL(read("[topic chat/+]\nhistory-size = 200\n"
                       "history-ttl = 24h\nretain = true\n"),
                  "");
  CAF_REQUIRE_EQUAL(rules.size(), 1u);
  CAF_CHECK_EQUAL(rules[0].pattern, "chat/+");
  CAF_CHECK_EQUAL(x().history_size, 200u);
  CAF_CHECK_EQUAL(x().history_ttl, 24h);
  CAF_CHECK_EQUAL(x().retain, true);
}

CAF_TEST(sections for actions are not for topics) {
  CAF_CHECK_EQUAL(read("[action x]\nrate = 1\n[topic x]\nretain = on\n"), "");
  CAF_REQUIRE_EQUAL(rules.size(), 1u);
  CAF_CHECK_EQUAL(x().retain, true);
  // Whatever is in them.
  CAF_CHECK_EQUAL(check_without_store("[action x]\ndurability = disk\n"), "");
}

CAF_TEST(a section without a line is a rule that keeps nothing) {
  CAF_CHECK_EQUAL(read("[topic chat/secret]\n[topic chat/+]\nretain = on\n"),
                  "");
  CAF_REQUIRE_EQUAL(rules.size(), 2u);
  CAF_CHECK(rules[0].options == topic_options{});
  CAF_CHECK_EQUAL(options_of(rules, "chat/secret").retain, false);
  CAF_CHECK_EQUAL(options_of(rules, "chat/lobby").retain, true);
}

CAF_TEST(rules keep the order of the file) {
  CAF_CHECK_EQUAL(read("[topic b/#]\nhistory-size = 1\n"
                       "[topic a]\nhistory-size = 2\n"
                       "[topic #]\nhistory-size = 3\n"
                       "[topic b/c]\nhistory-size = 4\n"),
                  "");
  std::vector<std::string> patterns;
  for (auto& rule : rules)
    patterns.push_back(rule.pattern);
  std::vector<std::string> expected{"b/#", "a", "#", "b/c"};
  CAF_CHECK_EQUAL(patterns, expected);
  CAF_CHECK_EQUAL(options_of(rules, "b/c").history_size, 1u);
  CAF_CHECK_EQUAL(options_of(rules, "a").history_size, 2u);
}

CAF_TEST(the last of several values counts) {
  CAF_CHECK_EQUAL(read_line("history-size = 1\nhistory-size = 2"), "");
  CAF_CHECK_EQUAL(x().history_size, 2u);
}

CAF_TEST(sizes hold at their ends and one past them) {
  CAF_CHECK_EQUAL(read_line("history-size = 0"), "");
  CAF_CHECK_EQUAL(read_line("history-size = 100000"), "");
  CAF_CHECK_EQUAL(x().history_size, 100'000u);
  CAF_CHECK_EQUAL(read_line("history-size = 100001"),
                  "callboard.conf, line 2, history-size: '100001' is out of "
                  "bounds; it takes 0 to 100000");
  CAF_CHECK_EQUAL(read_line("history-size = -1"),
                  "callboard.conf, line 2, history-size: '-1' is not a number; "
                  "it takes 0 to 100000");
}

CAF_TEST(times hold at their ends and one past them) {
  CAF_CHECK_EQUAL(read_line("history-ttl = 0s"), "");
  CAF_CHECK_EQUAL(read_line("history-ttl = 8784h"), "");
  CAF_CHECK_EQUAL(x().history_ttl, 366 * 24h);
  CAF_CHECK_EQUAL(read_line("history-ttl = 31622400001ms"),
                  "callboard.conf, line 2, history-ttl: '31622400001ms' is out "
                  "of bounds; it takes 0s to 8784h");
  CAF_CHECK_EQUAL(read_line("history-ttl = 60"),
                  "callboard.conf, line 2, history-ttl: '60' is not a duration "
                  "with a unit (ms, s, m, h); it takes 0s to 8784h");
}

CAF_TEST(retain is a switch) {
  CAF_CHECK_EQUAL(read_line("retain = true"), "");
  CAF_CHECK_EQUAL(x().retain, true);
  CAF_CHECK_EQUAL(read_line("retain = true\nretain = false"), "");
  CAF_CHECK_EQUAL(x().retain, false);
  CAF_CHECK_EQUAL(read_line("retain = 2"), "callboard.conf, line 2, retain: "
                                           "'2' is neither true nor false");
}

CAF_TEST(an unknown name is told with its line and what there is) {
  CAF_CHECK_EQUAL(read("loops = 1\n[topic a]\nretain = on\n[topic b]\n"
                       "histroy-size = 1\n"),
                  "callboard.conf, line 5: there is no setting 'histroy-size'; "
                  "a topic section takes history-size, history-ttl, retain, "
                  "presence, overflow, durability, replicas, "
                  "payload-bytes-max, publish-rate, publish-burst, "
                  "publishers");
}

CAF_TEST(topics and patterns have sections) {
  for (auto pattern : {"a", "a/b", "+", "#", "+/b", "a/+/#", "two words/]",
                       "\" a \"", "a$", "$user/u1", "$user/+/x", "$user/#"})
    CAF_CHECK_EQUAL(read_pattern(pattern), "");
  CAF_CHECK_EQUAL(read_pattern(std::string(255, 'x')), "");
}

CAF_TEST(what is neither a topic nor a pattern is refused with its line) {
  CAF_CHECK_EQUAL(read("[topic a]\n[topic ]\n"),
                  "callboard.conf, line 2: topic '': The subject is empty.");
  CAF_CHECK_EQUAL(read_pattern("a//b"),
                  "callboard.conf, line 1: topic 'a//b': The subject has an "
                  "empty segment.");
  CAF_CHECK_EQUAL(read_pattern("a/#/b"),
                  "callboard.conf, line 1: topic 'a/#/b': A wildcard must be a "
                  "whole segment, and # the last one.");
  for (auto pattern : {"/a", "a/", "a+", "a\tb", "\xff"})
    CAF_CHECK_NOT_EQUAL(read_pattern(pattern), "");
  CAF_CHECK_NOT_EQUAL(read_pattern(std::string(256, 'x')), "");
}

CAF_TEST(of the names for the server users and dead letters have sections) {
  CAF_CHECK_EQUAL(read_pattern("$sys/x"),
                  "callboard.conf, line 1: topic '$sys/x': A name that begins "
                  "with $ must begin with $user/ or $dead/.");
  for (auto pattern : {"$dead/x", "$dead/#", "$user/+"})
    CAF_CHECK_EQUAL(read_pattern(pattern), "");
  for (auto pattern : {"$", "$user", "$users/x", "$user/", "$+/x", "$user/a+",
                       "$dead", "$dead/", "$dead/a+"})
    CAF_CHECK_NOT_EQUAL(read_pattern(pattern), "");
}

CAF_TEST(a pattern has one section) {
  CAF_CHECK_EQUAL(read("[topic a/+]\n[topic a/b]\nretain = on\n"
                       "[topic \"a/+\"]\n"),
                  "callboard.conf, line 4: topic 'a/+' has a section already, "
                  "in line 1");
}

CAF_TEST(there are no more sections than a file may have) {
  CAF_CHECK_EQUAL(read(many(topic_sections_max)), "");
  CAF_CHECK_EQUAL(rules.size(), topic_sections_max);
  CAF_CHECK_EQUAL(read(many(topic_sections_max + 1)),
                  "callboard.conf, line 10001: there are more than 10000 topic "
                  "sections");
}

CAF_TEST(a durability is one of three words) {
  CAF_CHECK_EQUAL(read_line("durability = none"), "");
  CAF_CHECK(x().durability == durability::none);
  CAF_CHECK_EQUAL(read_line("durability = memory"), "");
  CAF_CHECK(x().durability == durability::memory);
  CAF_CHECK_EQUAL(read_line("durability = disk"), "");
  CAF_CHECK(x().durability == durability::disk);
  CAF_CHECK_EQUAL(read_line("durability = Disk"),
                  "callboard.conf, line 2, durability: 'Disk' is not one of "
                  "none, memory, disk");
}

CAF_TEST(replicas are of topics on the disk without presence) {
  CAF_CHECK_EQUAL(read_line("durability = disk\nreplicas = 3"), "");
  CAF_CHECK_EQUAL(x().replicas, 3u);
  CAF_CHECK_EQUAL(read_line("durability = memory\nreplicas = 1"), "");
  CAF_CHECK_NOT_EQUAL(read_line("durability = disk\nreplicas = 0"), "");
  CAF_CHECK_NOT_EQUAL(read_line("durability = disk\nreplicas = 4"), "");
  auto needs = [](const std::string& wrong, const std::string& what) {
    return wrong.find(what) != std::string::npos;
  };
  CAF_CHECK(needs(read_line("durability = memory\nreplicas = 2"),
                  "replicas need durability = disk"));
  CAF_CHECK(needs(read_line("replicas = 2"), "durability = disk"));
  CAF_CHECK(needs(read_line("durability = disk\nreplicas = 2\npresence = on"),
                  "do not go together with presence"));
}

CAF_TEST(a durability without a store is told with its line) {
  CAF_CHECK_EQUAL(check_without_store("[topic a]\ndurability = none\n"), "");
  CAF_CHECK_EQUAL(
    check_without_store("[topic a]\nretain = true\n\n[topic b/#]\n"
                        "history-size = 1\ndurability = memory\n"),
    "callboard.conf, line 6, durability: memory for topic 'b/#' needs a folder "
    "to keep it in; set --store-dir PATH, or store-dir in front of the "
    "sections");
}

CAF_TEST(what a topic takes from clients) {
  CAF_CHECK_EQUAL(read_line("payload-bytes-max = 1KiB\npublish-rate = 10\n"
                            "publish-burst = 20\npublishers = server"),
                  "");
  CAF_CHECK_EQUAL(x().payload_bytes_max, 1024u);
  CAF_CHECK_EQUAL(x().publish_rate, 10u);
  CAF_CHECK_EQUAL(x().publish_burst, 20u);
  CAF_CHECK(x().publishers == publishers::server);
  CAF_CHECK_EQUAL(read_line("publishers = all"), "");
  CAF_CHECK(x().publishers == publishers::all);
  CAF_CHECK_EQUAL(read_line("publishers = nobody"),
                  "callboard.conf, line 2, publishers: 'nobody' is not one of "
                  "all, server");
}

CAF_TEST(what a topic takes from clients holds at its ends and one past them) {
  CAF_CHECK_EQUAL(read_line("payload-bytes-max = 0"), "");
  CAF_CHECK_EQUAL(read_line("payload-bytes-max = 16MiB"), "");
  CAF_CHECK_EQUAL(read_line("payload-bytes-max = 16777217"),
                  "callboard.conf, line 2, payload-bytes-max: '16777217' is "
                  "out of bounds; it takes 0B to 16MiB");
  CAF_CHECK_EQUAL(read_line("publish-rate = 1000000"), "");
  CAF_CHECK_EQUAL(read_line("publish-rate = 1000001"),
                  "callboard.conf, line 2, publish-rate: '1000001' is out of "
                  "bounds; it takes 0 to 1000000");
  CAF_CHECK_EQUAL(read_line("publish-rate = 1\npublish-burst = 1000000"), "");
  CAF_CHECK_NOT_EQUAL(read_line("publish-rate = 1\npublish-burst = 1000001"),
                      "");
  CAF_CHECK_EQUAL(read_line("publish-burst = 1"),
                  "callboard.conf, line 1: topic 'x': publish-burst means "
                  "nothing without publish-rate");
}

CAF_TEST_FIXTURE_SCOPE_END()
