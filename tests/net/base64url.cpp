#include <callboard/net/base64url.hpp>

#include <string>

#include "support/test.hpp"

using namespace callboard::net;
using namespace std::literals;

CAF_TEST(bytes become text and come back) {
  std::pair<std::string, std::string> rows[] = {
    {"", ""},
    {"f", "Zg"},
    {"fo", "Zm8"},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg"},
    {"fooba", "Zm9vYmE"},
    {"\xfb\xff", "-_8"},
    {"\0\0"s, "AAA"},
  };
  for (auto& [bytes, text] : rows) {
    CHECK_EQ(to_base64url(bytes), text);
    CHECK_EQ(from_base64url(text), bytes);
  }
}

CAF_TEST(what has another form is refused) {
  for (auto text :
       {"Z", "Zm9vY", "Zg==", "Zm9v\n", " Zm9v", "Zm+v", "Zm/v", "Zm9\xc3"})
    CHECK(!from_base64url(text));
  CHECK(!from_base64url("Zm\0v"sv));
  // Bits at the end that stand for nothing.
  CHECK(!from_base64url("Zh"));
  CHECK(!from_base64url("Zm9"));
}
