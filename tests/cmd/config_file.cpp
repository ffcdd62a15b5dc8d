#include <callboard/cmd/config_file.hpp>

#include "support/test.hpp"

using namespace callboard::cmd;

namespace {

// The lines as `LINE:NAME=VALUE;`, or what is wrong.
std::string read(std::string_view text) {
  std::vector<config_line> lines;
  if (auto wrong = parse_config(text, lines); !wrong.empty())
    return wrong;
  std::string result;
  for (auto& x : lines)
    result += std::to_string(x.line) + ':' + x.name + '=' + x.value + ';';
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
  CAF_CHECK_EQUAL(read("[server]"), "line 1: '[server]' is not NAME = VALUE");
  CAF_CHECK_EQUAL(read("a = \"x"), "line 1: the value of a is not closed: a "
                                   "'\"' is missing");
  CAF_CHECK_EQUAL(read("a = \"x\" y"), "line 1: the value of a has something "
                                       "behind its closing '\"'");
}
