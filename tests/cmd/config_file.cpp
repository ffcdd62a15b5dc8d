#include <callboard/cmd/config_file.hpp>

#include "support/test.hpp"

using namespace callboard::cmd;

namespace {

std::string write(const std::vector<config_line>& lines) {
  std::string result;
  for (auto& x : lines)
    result += std::to_string(x.line) + ':' + x.name + '=' + x.value + ';';
  return result;
}

// The lines as `LINE:NAME=VALUE;` and the sections as `LINE<PATTERN>` with
// theirs behind, or what is wrong. Those for actions have a `!` in front.
std::string read(std::string_view text) {
  config x;
  if (auto wrong = parse_config(text, x); !wrong.empty())
    return wrong;
  auto result = write(x.lines);
  for (auto& section : x.sections)
    result += (section.kind == section_kind::action ? "!" : "")
              + std::to_string(section.line) + '<' + section.pattern + '>'
              + write(section.lines);
  return result;
}

} // namespace

CAF_TEST(a line sets a name) {
  CAF_CHECK_EQUAL(read("a = 1\nb=2\n  c  =  3  \n"), "1:a=1;2:b=2;3:c=3;");
}

CAF_TEST(comments and empty lines are passed over) {
  CAF_CHECK_EQUAL(read("# x = 1\n\n \t\na = 1 # why\n#"), "4:a=1;");
  CAF_CHECK_EQUAL(read(""), "");
}

CAF_TEST(line ends of either kind and a last line without one count) {
  CAF_CHECK_EQUAL(read("a = 1\r\nb = 2"), "1:a=1;2:b=2;");
}

CAF_TEST(a value may stand in quotes) {
  CAF_CHECK_EQUAL(read("a = \"x # y\" # why"), "1:a=x # y;");
  CAF_CHECK_EQUAL(read("a = \"\""), "1:a=;");
  CAF_CHECK_EQUAL(read("a = /x#y"), "1:a=/x#y;");
  CAF_CHECK_EQUAL(read("a = b = c"), "1:a=b = c;");
}

CAF_TEST(an empty value is one) {
  CAF_CHECK_EQUAL(read("a ="), "1:a=;");
}

CAF_TEST(what is no line is refused with its number) {
  CAF_CHECK_EQUAL(read("a = 1\nloops\n"),
                  "line 2: 'loops' is not NAME = VALUE");
  CAF_CHECK_EQUAL(read("a = \"x"), "line 1: the value of a is not closed: a "
                                   "'\"' is missing");
  CAF_CHECK_EQUAL(read("a = \"x\" y"), "line 1: the value of a has something "
                                       "behind its closing '\"'");
}

CAF_TEST(what stands behind a header belongs to its section) {
  CAF_CHECK_EQUAL(read("a = 1\n[topic x/+]\nb = 2\n\n# c = 3\nd = 4 # why\n"
                       "[topic y]\r\n[topic x]\nb = 5"),
                  "1:a=1;2<x/+>3:b=2;6:d=4;7<y>8<x>9:b=5;");
}

CAF_TEST(topics and actions have sections) {
  CAF_CHECK_EQUAL(read("[action x]\na = 1\n[topic x]\na = 2\n[action y]"),
                  "!1<x>2:a=1;3<x>4:a=2;!5<y>");
  CAF_CHECK_EQUAL(read("[action  \"a]/#\" ] # why"), "!1<a]/#>");
  CAF_CHECK_EQUAL(read("[action\tx y\t]"), "!1<x y>");
  CAF_CHECK_EQUAL(read("[action topic x]"), "!1<topic x>");
}

CAF_TEST(a pattern may have spaces and brackets) {
  CAF_CHECK_EQUAL(read("[topic two words/+]"), "1<two words/+>");
  CAF_CHECK_EQUAL(read("  [topic   x  ]  "), "1<x>");
  CAF_CHECK_EQUAL(read("[topic\tx\t]"), "1<x>");
  CAF_CHECK_EQUAL(read("[topic a]b]"), "1<a]b>");
  CAF_CHECK_EQUAL(read("[topic a] b[c]]"), "1<a] b[c]>");
  CAF_CHECK_EQUAL(read("[topic ]]"), "1<]>");
  CAF_CHECK_EQUAL(read("[topic #]"), "1<#>");
  CAF_CHECK_EQUAL(read("[topic a = b]"), "1<a = b>");
}

CAF_TEST(a pattern may stand in quotes) {
  CAF_CHECK_EQUAL(read("[topic \" x \"]"), "1< x >");
  CAF_CHECK_EQUAL(read("[topic  \"a]/#\" ]"), "1<a]/#>");
  CAF_CHECK_EQUAL(read("[topic \"say \"hi\"\"]"), "1<say \"hi\">");
  CAF_CHECK_EQUAL(read("[topic say \"hi\"]"), "1<say \"hi\">");
}

CAF_TEST(a comment may follow a header) {
  CAF_CHECK_EQUAL(read("[topic x] # why"), "1<x>");
  CAF_CHECK_EQUAL(read("[topic x]# why"), "1<x>");
  CAF_CHECK_EQUAL(read("[topic x/#]  #"), "1<x/#>");
  CAF_CHECK_EQUAL(read("[topic \"x\"] # \"why\""), "1<x>");
  CAF_CHECK_EQUAL(read("[topic x]y] # see [z]"), "1<x]y>");
  CAF_CHECK_EQUAL(read("#[topic x]"), "");
}

CAF_TEST(an empty pattern is left to those who check patterns) {
  CAF_CHECK_EQUAL(read("[topic ]"), "1<>");
  CAF_CHECK_EQUAL(read("[topic \"\"]"), "1<>");
}

CAF_TEST(what is no header is refused with its number) {
  for (std::string line :
       {"[]", "[", "[topic", "[topic]", "[topic x", "[topic x] y", "[topics x]",
        "[server]", "[ topic x]", "[Topic x]", "[server x] # [topic x]",
        "[action", "[action]", "[action x", "[actions x]", "[topic] x]"})
    CAF_CHECK_EQUAL(read("a = 1\n" + line),
                    "line 2: '" + line
                      + "' is neither [topic PATTERN] nor [action PATTERN]");
  for (std::string line : {"[topic \"]", "[topic \"x]", "[topic \"x\" y]"})
    CAF_CHECK_EQUAL(read("\n\n" + line),
                    "line 3: '" + line + "' does not close its '\"'");
  CAF_CHECK_EQUAL(read("[topic x]\ny"), "line 2: 'y' is not NAME = VALUE");
}
