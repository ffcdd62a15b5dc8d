#include "support/test.hpp"

#include <callboard/net/http_target.hpp>

using namespace callboard::net;

namespace {

std::string split(std::string_view target) {
  auto [path, query] = split_http_target(target);
  return std::string{path} + " | " + std::string{query};
}

} // namespace

CAF_TEST(a target is split at its first question mark) {
  CHECK_EQ(split("/"), "/ | ");
  CHECK_EQ(split("/ws"), "/ws | ");
  CHECK_EQ(split("/ws?"), "/ws | ");
  CHECK_EQ(split("/ws?token=a?b"), "/ws | token=a?b");
  CHECK_EQ(split("?a"), "/ | a");
  CHECK_EQ(split("*"), "* | ");
}

CAF_TEST(the authority of an absolute target is skipped) {
  CHECK_EQ(split("http://host/ws?a=1"), "/ws | a=1");
  CHECK_EQ(split("http://host:80?a=1"), "/ | a=1");
  CHECK_EQ(split("http://host"), "/ | ");
  CHECK_EQ(split("http://"), "/ | ");
  CHECK_EQ(split("/ws?next=http://host/"), "/ws | next=http://host/");
  CHECK_EQ(split("a/b://c"), "a/b://c | ");
  CHECK_EQ(split("a?b://c"), "a | b://c");
}

CAF_TEST(a parameter is found by its whole name) {
  CHECK_EQ(query_value("token=abc", "token"), "abc");
  CHECK_EQ(query_value("a=1&token=abc&b=2", "token"), "abc");
  CHECK_EQ(query_value("token=1&token=2", "token"), "1");
  CHECK_EQ(query_value("token=a=b", "token"), "a=b");
  CHECK_EQ(query_value("token=", "token"), "");
  CHECK_EQ(query_value("token", "token"), "");
  CHECK_EQ(query_value("tokens=1&atoken=2", "token"), "");
  CHECK_EQ(query_value("&&token=1&", "token"), "1");
  CHECK_EQ(query_value("", "token"), "");
}

CAF_TEST(percent signs need two hexadecimal digits) {
  CHECK_EQ(percent_decode(""), "");
  CHECK_EQ(percent_decode("a+b"), "a+b");
  CHECK_EQ(percent_decode("a%2Bb%2f%C3%a9"), "a+b/\xC3\xA9");
  CHECK_EQ(percent_decode("%00"), std::string(1, '\0'));
  CHECK_EQ(percent_decode("%2525"), "%25");
  for (auto text : {"%", "%2", "a%", "%g0", "%0g", "%%20", "% 1", "%+1"})
    CHECK(!percent_decode(text));
}

CAF_TEST(a cookie is found by its whole name) {
  CHECK_EQ(cookie_value("a=1; token=abc; b=2", "token"), "abc");
  CHECK_EQ(cookie_value("token=abc", "token"), "abc");
  CHECK_EQ(cookie_value("token=1; token=2", "token"), "1");
  CHECK_EQ(cookie_value("token=a=b", "token"), "a=b");
  CHECK_EQ(cookie_value("token=\"abc\"", "token"), "abc");
  CHECK_EQ(cookie_value(";;token=abc ;", "token"), "abc");
  for (auto x : {"", "token", "token=", "tokens=a", "xtoken=a", "; ;",
                 "Token=a", "a=token=b"})
    CHECK_EQ(cookie_value(x, "token"), "");
  CHECK_EQ(cookie_value("token=\"", "token"), "\"");
}
