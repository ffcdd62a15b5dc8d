// Who may open a WebSocket: tokens, and pages of other origins.

#include "support/test.hpp"

#include <string>
#include <string_view>

#include <callboard/messages/errc.hpp>
#include <callboard/net/http_upgrade.hpp>

#include "net/http_upgrade_fixture.hpp"

using namespace callboard;
using namespace callboard::net;

using namespace std::literals;

CAF_TEST_FIXTURE_SCOPE(upgrade_tokens_suite, http_upgrade_fixture)

// -- tokens -------------------------------------------------------------------

CAF_TEST(a token is shown to the application) {
  require_login();
  auto fields = {"Authorization: Bearer a+b/c\r\n"sv,
                 "Authorization: bEARER   a+b/c\r\n"sv};
  for (auto field : fields) {
    auto reply = upgrade("/ws", field);
    CAF_REQUIRE(reply.upgrade);
    CHECK(reply.upgrade->authenticated);
    CHECK_EQ(reply.upgrade->who.user, "ann");
    CHECK_EQ(shown.back(), "a+b/c from 192.0.2.7");
  }
  for (auto target : {"/ws?token=a%2Bb%2fc", "/ws?x&token=a+b/c"}) {
    auto reply = upgrade(target);
    CAF_REQUIRE(reply.upgrade);
    CHECK_EQ(reply.upgrade->who.user, "ann");
  }
  CHECK_EQ(shown.size(), 4u);
}

CAF_TEST(the header goes before the query) {
  require_login();
  auto bad = "Authorization: Bearer wrong\r\n"sv;
  CHECK_EQ(upgrade("/ws?token=a+b/c", bad).status, 401u);
  CHECK_EQ(shown, std::vector{"wrong from 192.0.2.7"s});
  auto other = "Authorization: Basic eDp5\r\n"sv;
  CHECK_EQ(upgrade("/ws?token=a+b/c", other).status, 101u);
}

CAF_TEST(without a token a client says connect later) {
  require_login();
  for (auto target : {"/ws", "/ws?token=", "/ws?tokens=x"}) {
    auto reply = upgrade(target);
    CAF_REQUIRE(reply.upgrade);
    CHECK(!reply.upgrade->authenticated);
  }
  CHECK(shown.empty());
}

CAF_TEST(a cookie may hold the token where one was named) {
  require_login();
  auto cookies = "Cookie: a=b; board=a+b/c\r\n"sv;
  CHECK(!upgrade("/ws", cookies).upgrade->authenticated);
  what.token_cookie = "board";
  CHECK_EQ(upgrade("/ws", cookies).upgrade->who.user, "ann");
  CHECK_EQ(
    upgrade("/ws", "Cookie: a=b\r\nCookie: board=a+b/c\r\n").upgrade->who.user,
    "ann");
  CHECK_EQ(shown.size(), 2u);
  // Header and query go before it.
  CHECK_EQ(upgrade("/ws?token=wrong", cookies).status, 401u);
  CHECK_EQ(upgrade("/ws", "Authorization: Bearer wrong\r\n"
                          "Cookie: board=a+b/c\r\n"sv)
             .status,
           401u);
  CHECK(!upgrade("/ws", "Cookie: boards=a+b/c\r\n").upgrade->authenticated);
}

CAF_TEST(who shows no token may be somebody in general) {
  require_login();
  what.rights.anonymous = identity{"", "guests"};
  auto reply = upgrade("/ws");
  CAF_REQUIRE(reply.upgrade);
  CHECK(reply.upgrade->authenticated);
  CHECK_EQ(reply.upgrade->who.tenant, "guests");
  CHECK(shown.empty());
  // A token that is wrong does not make anonymous.
  CHECK_EQ(upgrade("/ws?token=wrong").status, 401u);
  CHECK_EQ(upgrade("/ws?token=a+b/c").upgrade->who.user, "ann");
}

// -- origins ------------------------------------------------------------------

CAF_TEST(pages of another origin are refused before anybody is asked) {
  require_login();
  for (auto path : {"/ws?token=a+b/c", "/echo"}) {
    CHECK_EQ(upgrade(path, "Origin: http://a\r\n").status, 101u);
    CHECK_EQ(upgrade(path).status, 101u);
    shown.clear();
    auto reply = upgrade(path, "Origin: http://evil.example\r\n");
    CHECK_EQ(status_and_name(reply), "403 forbidden_origin");
    CHECK(reply.body().find("evil") == std::string_view::npos);
    CHECK(shown.empty());
  }
  what.origins = {"https://*.example.com"};
  CHECK_EQ(upgrade("/ws", "Origin: https://x.example.com\r\n").status, 101u);
  CHECK_EQ(upgrade("/ws", "Origin: http://a\r\n").status, 403u);
  CHECK_EQ(upgrade("/ws", "Origin: https://x.example.com\r\n"
                          "Origin: https://y.example.com\r\n")
             .status,
           403u);
  CHECK_EQ(places, 995u);
}

CAF_TEST(a token is no matter where nobody asks for one) {
  auto reply = upgrade("/ws?token=anything");
  CAF_REQUIRE(reply.upgrade);
  CHECK(!reply.upgrade->authenticated);
}

CAF_TEST(refused tokens refuse the upgrade) {
  require_login();
  auto reply = upgrade("/ws?token=old");
  CHECK_EQ(status_and_name(reply), "401 token_expired");
  CHECK(has_line(reply, "WWW-Authenticate: Bearer error=\"invalid_token\""));
  for (auto target : {"/ws?token=wrong", "/echo?token=wrong", "/ws?token=throw",
                      "/ws?token=throw%201"}) {
    reply = upgrade(target);
    CHECK_EQ(status_and_name(reply), "401 unauthenticated");
    CHECK(reply.close);
    CHECK(reply.body().find("wrong") == std::string_view::npos);
  }
  CHECK_EQ(places, 1000u);
}

CAF_TEST(a token that cannot be decoded is refused) {
  require_login();
  CHECK_EQ(status_and_name(upgrade("/ws?token=%zz")), "400 bad_request");
  CHECK(shown.empty());
}

CAF_TEST(nobody is asked where the answer is no anyway) {
  require_login();
  is_ready = false;
  CHECK_EQ(upgrade("/ws?token=a+b/c").status, 503u);
  CHECK_EQ(ask("GET /ws?token=a+b/c").status, 400u);
  CHECK(shown.empty());
}

CAF_TEST_FIXTURE_SCOPE_END()
