#include "support/test.hpp"

#include <string>
#include <utility>

#include <callboard/messages/topic.hpp>

#include "messages/hex.hpp"

using namespace callboard;

using enum subject_error;

namespace {

// Checks a subject that is one thing to topics and actions, another to
// patterns.
void check(std::string_view x, subject_error topic, subject_error pattern) {
  MESSAGE("subject " << to_hex(x));
  CHECK(check_topic(x) == topic);
  CHECK(check_action(x) == topic);
  CHECK(check_pattern(x) == pattern);
}

void check(std::string_view x, subject_error all) {
  check(x, all, all);
}

} // namespace

CAF_TEST(subjects have segments) {
  for (auto x : {"a", "room/1", "a/b/c/d", "a b", ".", "a.b", "-", "0",
                 "r\u00e4ume/\u65e5\u672c/\U0001f3ad", "a$", "a/$b"})
    check(x, none);
  check("", empty);
  for (auto x : {"/", "//", "/a", "a/", "a//b", "a/b/"})
    check(x, empty_segment);
}

CAF_TEST(subjects have up to 255 bytes) {
  check(std::string(255, 'x'), none);
  check(std::string(256, 'x'), too_long);
  check(times(127, "\u00e4") + "x", none);
  check(times(128, "\u00e4"), too_long);
}

CAF_TEST(subjects have no control characters) {
  using namespace std::literals;
  for (auto x : {"\0"sv, "a\0b"sv, "\x01"sv, "a\n"sv, "\x1f"sv, "\x7f"sv,
                 "a/\x7f"sv, "\xc2\x80"sv, "a\xc2\x9f"sv})
    check(x, control_character);
  check("\xc2\xa0", none);
  check(" ", none);
  check("~", none);
  check("\xdf\x80", none);
  check("\xe2\x82\x80", none);
}

CAF_TEST(subjects are UTF8) {
  for (auto x :
       {"\x80", "a\xff", "\xc3", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf",
        "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", "\xe2\x82", "\xf0\x9f\x8e", "\xe2\x28\xa1",
        "12345678\xff", "1234567\xc3"})
    check(x, not_utf8);
  for (auto x : {"\xc2\xa0", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
                 "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80",
                 "\xf4\x8f\xbf\xbf", "1234567\xc3\xa4"})
    check(x, none);
}

CAF_TEST(wildcards are whole segments of patterns) {
  for (auto x : {"+", "#", "+/a", "a/+", "a/+/b", "+/+", "a/#", "+/#"})
    check(x, wildcard, none);
  for (auto x : {"a+", "+a", "a/b+", "++", "##", "#a", "#/a", "a/#/b", "#/#",
                 "a/+#", "#/+", "a/b#"})
    check(x, wildcard, misplaced_wildcard);
}

CAF_TEST(a dollar in front is reserved) {
  for (auto x : {"$", "$sys", "$sys/a"})
    check(x, reserved);
  check("$sys/#", wildcard, reserved);
  check("$sys/+", wildcard, reserved);
}

CAF_TEST(other errors come before reserved) {
  check("$/", empty_segment);
  check("$a+", wildcard, misplaced_wildcard);
  CHECK(check_action("callboard.\n") == control_character);
}

CAF_TEST(our own actions are reserved) {
  CHECK(check_action("callboard.echo") == reserved);
  CHECK(check_action("callboard.") == reserved);
  CHECK(check_action("callboard") == none);
  CHECK(check_action("Callboard.echo") == none);
  CHECK(check_action("a/callboard.echo") == none);
  CHECK(check_topic("callboard.echo") == none);
  CHECK(check_pattern("callboard.echo") == none);
}

CAF_TEST(dead letters can be subscribed to and read) {
  auto long_topic = std::string(subject_bytes_max, 'a');
  for (auto& x : {std::string{"$dead/a"}, std::string{"$dead/a/b"},
                  "$dead/" + long_topic}) {
    CHECK(check_subscription(x) == none);
    CHECK(check_readable(x) == none);
    // They are published by the server alone.
    CHECK(check_topic(x)
          == (x.size() > subject_bytes_max ? too_long : reserved));
  }
  CHECK(check_subscription("$dead/" + long_topic + 'a') == too_long);
  CHECK(check_readable("$dead/" + long_topic + 'a') == too_long);
  for (auto x : {"$dead/#", "$dead/+", "$dead/a/+"}) {
    CHECK(check_subscription(x) == none);
    CHECK(check_readable(x) == wildcard);
  }
  CHECK(check_subscription("$dead") == reserved);
  CHECK(check_subscription("$dead/") == empty);
  CHECK(check_subscription("$dead//a") == empty_segment);
  CHECK(check_subscription("$dead/$dead/a") == reserved);
  CHECK(check_subscription("$deadly/a") == reserved);
  CHECK(check_subscription("$sys/#") == reserved);
  CHECK(check_readable("$sys/a") == reserved);
  CHECK(check_subscription("a/#") == none);
  CHECK(check_readable("a/b") == none);
}

CAF_TEST(each error has a sentence) {
  for (auto x : {empty, too_long, empty_segment, control_character, not_utf8,
                 wildcard, misplaced_wildcard, reserved})
    CHECK(to_sentence(x).ends_with('.'));
  CHECK(to_sentence(none).empty());
}

CAF_TEST(a wildcard makes a pattern) {
  for (auto x : {"+", "#", "a/+/b", "a/#", "a+"})
    CHECK(is_pattern(x));
  for (auto x : {"", "a", "a/b", "$sys"})
    CHECK(!is_pattern(x));
}

CAF_TEST(patterns match topics) {
  using pair = std::pair<const char*, const char*>;
  for (auto [pattern, topic] :
       {pair{"q/#", "q/1"}, pair{"q/#", "q/1/2"}, pair{"#", "q"},
        pair{"#", "q/1"}, pair{"+", "q"}, pair{"+/1", "q/1"},
        pair{"q/+", "q/1"}, pair{"q/+/2", "q/1/2"}, pair{"+/+", "q/1"},
        pair{"+/#", "q/1"}, pair{"+/#", "q/1/2"}, pair{"q/1", "q/1"},
        pair{"q", "q"}, pair{"$sys/#", "$sys/a/b"}, pair{"$sys/+", "$sys/a"},
        pair{"$sys", "$sys"}, pair{"q/+", "q/$a"}, pair{"q/#", "q/$a"}}) {
    MESSAGE(pattern << " and " << topic);
    CHECK(matches(pattern, topic));
  }
}

CAF_TEST(patterns do not match other topics) {
  using pair = std::pair<const char*, const char*>;
  for (auto [pattern, topic] :
       {pair{"q/#", "q"},           pair{"q/#", "r/1"},
        pair{"q/#", "qq/1"},        pair{"+", "q/1"},
        pair{"+/+", "q"},           pair{"+/#", "q"},
        pair{"q/+", "q"},           pair{"q/+", "q/1/2"},
        pair{"q/+/2", "q/1/3"},     pair{"q", "q/1"},
        pair{"q/1", "q"},           pair{"q", "Q"},
        pair{"#", "$sys"},          pair{"#", "$sys/a"},
        pair{"+", "$sys"},          pair{"+/a", "$sys/a"},
        pair{"+/#", "$sys/a"},      pair{"$sys/#", "$sys"},
        pair{"$sys/#", "$other/a"}, pair{"$sys/#", "sys/a"}}) {
    MESSAGE(pattern << " and " << topic);
    CHECK(!matches(pattern, topic));
  }
}

CAF_TEST(a pattern covers what matches no more than it does) {
  struct {
    const char* pattern;
    const char* x;
    bool expected;
  } rows[] = {
    {"a", "a", true},         {"a", "b", false},
    {"a/+", "a/b", true},     {"a/+", "a/+", true},
    {"a/+", "a/#", false},    {"a/#", "a/+", true},
    {"a/#", "a/+/+", true},   {"a/#", "a/b/#", true},
    {"a/#", "#", false},      {"#", "#", true},
    {"#", "+", true},         {"+", "#", false},
    {"+/#", "#", false},      {"+/#", "a/#", true},
    {"+/+", "+", false},      {"a/b", "a/+", false},
    {"a/+/c", "a/+/c", true}, {"a/b/c", "a/+/c", false},
    {"#", "$dead/#", false},  {"$dead/#", "$dead/+", true},
    {"$dead/#", "#", false},  {"+/a", "$dead/+", false},
  };
  for (auto& row : rows) {
    MESSAGE(row.pattern << " covers " << row.x);
    CHECK_EQ(covers(row.pattern, row.x), row.expected);
  }
}
