#include <callboard/net/origins.hpp>

#include <string>
#include <vector>

#include "support/test.hpp"

using namespace callboard::net;

namespace {

bool same_host(std::string_view origin, std::string_view host) {
  return is_origin_allowed(origin, host, {});
}

bool by_rule(std::string rule, std::string_view origin) {
  return is_origin_allowed(origin, "own.example", {std::move(rule)});
}

} // namespace

CAF_TEST(without rules pages of the same host may connect) {
  CHECK(same_host("http://a.example", "a.example"));
  CHECK(same_host("https://a.example", "a.example"));
  CHECK(same_host("http://a.example:8080", "a.example:8080"));
  CHECK(same_host("http://A.example", "a.EXAMPLE"));
  CHECK(same_host("http://a.example", "a.example:80"));
  CHECK(same_host("https://a.example", "a.example:443"));
  CHECK(same_host("http://[::1]:8080", "[::1]:8080"));
  CHECK(!same_host("http://b.example", "a.example"));
  CHECK(!same_host("http://a.example:81", "a.example"));
  CHECK(!same_host("http://a.example", "a.example:443"));
  CHECK(!same_host("http://a.example.evil", "a.example"));
  CHECK(!same_host("http://evil/a.example", "a.example"));
  CHECK(!same_host("null", "a.example"));
  CHECK(!same_host("null", "null"));
  CHECK(!same_host("a.example", "a.example"));
  CHECK(!same_host("http://", ""));
}

CAF_TEST(what is no page may connect) {
  CHECK(same_host("", "a.example"));
  CHECK(by_rule("https://a.example", ""));
}

CAF_TEST(rules name origins) {
  CHECK(by_rule("https://a.example", "https://a.example"));
  CHECK(by_rule("https://a.example", "HTTPS://A.Example"));
  CHECK(by_rule("https://a.example:443", "https://a.example"));
  CHECK(!by_rule("https://a.example", "http://a.example"));
  CHECK(!by_rule("https://a.example", "https://a.example:8443"));
  CHECK(!by_rule("https://a.example", "https://b.a.example"));
  CHECK(!by_rule("https://a.example", "https://a.example, https://b.example"));
  // They replace the own host.
  CHECK(!by_rule("https://a.example", "https://own.example"));
}

CAF_TEST(rules can name all names below a domain) {
  CHECK(by_rule("https://*.example.com", "https://a.example.com"));
  CHECK(by_rule("https://*.example.com", "https://a.b.example.com"));
  CHECK(by_rule("https://*.example.com:81", "https://a.example.com:81"));
  CHECK(!by_rule("https://*.example.com", "https://example.com"));
  CHECK(!by_rule("https://*.example.com", "https://.example.com"));
  CHECK(!by_rule("https://*.example.com", "https://evilexample.com"));
  CHECK(!by_rule("https://*.example.com", "https://a.example.com.evil"));
  CHECK(!by_rule("https://*.example.com", "http://a.example.com"));
  CHECK(!by_rule("https://*.example.com", "https://a.example.com:81"));
}

CAF_TEST(a star lets all pages in) {
  CHECK(by_rule("*", "https://anything"));
  CHECK(by_rule("*", "null"));
}

CAF_TEST(rules are checked) {
  for (auto x : {"*", "https://a.example", "https://*.a.example",
                 "http://localhost:8080", "app://host", "http://[::1]:80"})
    CHECK_EQ(check_origin_rule(x), "");
  for (auto x :
       {"", "a.example", "*.a.example", "://a", "https://", "https://a/",
        "https://a/b", "https://a?b", "https://u@a", "https://*", "https://*.",
        "https://a.*.example", "https://*a.example", "https://a b"})
    CHECK(!check_origin_rule(x).empty());
}
