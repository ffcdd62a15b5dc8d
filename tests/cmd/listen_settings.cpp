#include <callboard/cmd/listen_settings.hpp>

#include <string>

#include <callboard/cmd/serve_options.hpp>

#include "support/test.hpp"

using namespace callboard::cmd;

namespace {

struct fixture {
  // Sets `--admin`; returns what is wrong.
  std::string set(const std::string& text) {
    for (auto& x : admin_settings(admin))
      if (x.name == "admin")
        return x.set(text);
    return "there is no such setting";
  }

  std::string show() {
    for (auto& x : admin_settings(admin))
      if (x.name == "admin")
        return x.show();
    return {};
  }

  serve_options options;

  callboard::net::admin_options& admin = options.server.admin;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(listen_settings_tests, fixture)

CAF_TEST(addresses to listen on) {
  auto& server = options.server;
  auto listen = listen_setting(server);
  CAF_CHECK_EQUAL(listen.set("[::1]:0"), "");
  CAF_CHECK_EQUAL(server.address, "::1");
  CAF_CHECK_EQUAL(server.port, 0u);
  CAF_CHECK_EQUAL(listen.set("localhost:1"), "");
  CAF_CHECK_EQUAL(server.address, "127.0.0.1");
  CAF_CHECK_NOT_EQUAL(listen.set("8080"), "");
  CAF_CHECK_NOT_EQUAL(listen.set("example.org:80"), "");
  CAF_CHECK_NOT_EQUAL(listen.set("127.0.0.1:65536"), "");
}

CAF_TEST(operators have a place on loopback unless told otherwise) {
  CAF_CHECK_EQUAL(admin.enabled, true);
  CAF_CHECK_EQUAL(admin.optional, true);
  CAF_CHECK_EQUAL(show(), "127.0.0.1:8081");
  CAF_CHECK_EQUAL(check(options), "");
  // Not for those who embed a server.
  CAF_CHECK_EQUAL(callboard::net::server_options{}.admin.enabled, false);
}

CAF_TEST(a place that is named is meant) {
  CAF_CHECK_EQUAL(set("127.0.0.1:8081"), "");
  CAF_CHECK_EQUAL(admin.optional, false);
  CAF_CHECK_EQUAL(set("localhost:0"), "");
  CAF_CHECK_EQUAL(show(), "127.0.0.1:0");
  CAF_CHECK_EQUAL(set("[::1]:65535"), "");
  CAF_CHECK_EQUAL(show(), "[::1]:65535");
  CAF_CHECK_EQUAL(check(options), "");
}

CAF_TEST(none is nobody) {
  CAF_CHECK_EQUAL(set("none"), "");
  CAF_CHECK_EQUAL(admin.enabled, false);
  CAF_CHECK_EQUAL(show(), "none");
  CAF_CHECK_EQUAL(set("127.0.0.1:1"), "");
  CAF_CHECK_EQUAL(admin.enabled, true);
}

CAF_TEST(what is no place is refused) {
  for (auto text : {"", "8081", "127.0.0.1", "127.0.0.1:65536", "example.com:1",
                    "None", "127.0.0.1:-1"})
    CAF_CHECK_NOT_EQUAL(set(text), "");
  CAF_CHECK_EQUAL(show(), "127.0.0.1:8081");
  CAF_CHECK_EQUAL(admin.optional, true);
}

CAF_TEST(beyond loopback it takes a key) {
  CAF_CHECK_EQUAL(set("0.0.0.0:8081"), "");
  CAF_CHECK_EQUAL(check(options),
                  "admin (0.0.0.0:8081) is not on loopback: it needs "
                  "admin-key-file, or 127.0.0.1 in place of the address");
  admin.key_file = "key";
  CAF_CHECK_EQUAL(check(options), "");
  admin.key_file.clear();
  CAF_CHECK_EQUAL(set("none"), "");
  CAF_CHECK_EQUAL(check(options), "");
}

CAF_TEST(another place takes a restart) {
  serve_options wanted;
  wanted.server.admin.port = 9000;
  CAF_CHECK_EQUAL(need_restart(options, wanted),
                  std::vector<std::string>{"admin"});
  wanted.server.admin = admin;
  wanted.server.admin.key_file = "key";
  CAF_CHECK_EQUAL(need_restart(options, wanted),
                  std::vector<std::string>{"admin-key-file"});
}

CAF_TEST_FIXTURE_SCOPE_END()
