#include <callboard/cmd/serve_options.hpp>

#include <string>

#include "support/test.hpp"

using namespace callboard::cmd;

namespace {

struct fixture {
  // Sets `--token-cookie`; returns what is wrong.
  std::string set(const std::string& text) {
    for (auto& x : serve_settings(options))
      if (x.name == "token-cookie")
        return x.set(text);
    return "there is no such setting";
  }

  serve_options options;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(token_cookie_tests, fixture)

CAF_TEST(a cookie has a name that a browser takes) {
  for (auto name : {"t", "__Host-callboard.token", "!#$%&'*+-.^_`|~"}) {
    CAF_CHECK_EQUAL(set(name), "");
    CAF_CHECK_EQUAL(options.server.token_cookie, name);
  }
}

CAF_TEST(another name is refused and changes nothing) {
  set("t");
  for (std::string name :
       {"", "a b", " a", "a=b", "a;b", "a,b", "\"a\"", "\xc3\xa9"}) {
    CAF_CHECK_EQUAL(set(name),
                    '\'' + name
                      + "' is no name of a cookie; it takes letters, digits "
                        "and !#$%&'*+-.^_`|~");
    CAF_CHECK_EQUAL(options.server.token_cookie, "t");
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
