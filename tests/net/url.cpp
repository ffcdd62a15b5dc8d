#include <callboard/net/url.hpp>

#include <callboard/net/client_error.hpp>

#include "support/test.hpp"

using namespace callboard::net;

namespace {

// The URL as host, port and target, or what is wrong with it.
std::string read(std::string_view text) {
  auto x = parse_url(text);
  return x ? (x->encrypted ? "TLS " : "") + x->authority() + ' ' + x->target
           : details(x.error()).sentence;
}

std::string read_place(std::string_view text, int port_default = -1) {
  auto x = parse_host_and_port(text, port_default);
  return x ? x->host + ' ' + std::to_string(x->port)
           : details(x.error()).sentence;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

} // namespace

CAF_TEST(http and ws mean the same) {
  CAF_CHECK_EQUAL(read("http://example.org:8080/x"), "example.org:8080 /x");
  CAF_CHECK_EQUAL(read("ws://example.org:8080/x"), "example.org:8080 /x");
  CAF_CHECK_EQUAL(read("WS://example.org:8080/x"), "example.org:8080 /x");
}

CAF_TEST(what is left out has a default) {
  CAF_CHECK_EQUAL(read("http://h"), "h:80 /ws");
  CAF_CHECK_EQUAL(read("http://h:1/"), "h:1 /ws");
  CAF_CHECK_EQUAL(read("http://h:1?a=b"), "h:1 /ws?a=b");
  CAF_CHECK_EQUAL(read("http://h:1/?a=b"), "h:1 /ws?a=b");
  CAF_CHECK_EQUAL(read("http://h:1/other/?a=b"), "h:1 /other/?a=b");
  CAF_CHECK_EQUAL(read("http://h:1/x#part"), "h:1 /x");
  CAF_CHECK_EQUAL(read("http://h:1/#part"), "h:1 /ws");
}

CAF_TEST(an IPv6 address stands in brackets) {
  CAF_CHECK_EQUAL(read("http://[::1]:8080/"), "[::1]:8080 /ws");
  CAF_CHECK_EQUAL(read("http://[::1]"), "[::1]:80 /ws");
  CAF_CHECK(contains(read("http://::1:8080/"), "brackets"));
  CAF_CHECK(contains(read("http://[::1/"), "']'"));
  CAF_CHECK(contains(read("http://[::1]8080/"), "behind ']'"));
  CAF_CHECK(contains(read("http://[host]:8080/"), "not an IPv6 address"));
}

CAF_TEST(https and wss stand for TLS) {
  CAF_CHECK_EQUAL(read("https://h/"), "TLS h:443 /ws");
  CAF_CHECK_EQUAL(read("WSS://[::1]:8443/x"), "TLS [::1]:8443 /x");
}

CAF_TEST(what is no URL is refused by name) {
  CAF_CHECK(contains(read("h:8080"), "scheme"));
  CAF_CHECK(contains(read(""), "scheme"));
  CAF_CHECK(contains(read("ftp://h/"), "'ftp'"));
  CAF_CHECK(contains(read("http:///x"), "no host"));
  CAF_CHECK(contains(read("http://a b/"), "not the name of a host"));
  CAF_CHECK(contains(read("http://user:secret@h/"), "token"));
  CAF_CHECK(contains(read("http://h/a b"), "percent-encode"));
  CAF_CHECK(contains(read("http://h/\r\nX: y"), "percent-encode"));
}

CAF_TEST(a refusal does not repeat a password) {
  CAF_CHECK(!contains(read("http://user:secret@h/"), "secret"));
}

CAF_TEST(ports are checked at their bounds) {
  CAF_CHECK_EQUAL(read("http://h:65535/"), "h:65535 /ws");
  CAF_CHECK_EQUAL(read("http://h:1/"), "h:1 /ws");
  CAF_CHECK(contains(read("http://h:65536/"), "'65536'"));
  CAF_CHECK(contains(read("http://h:0/"), "port 0"));
  CAF_CHECK(contains(read("http://h:/"), "not a port"));
  CAF_CHECK(contains(read("http://h:8x/"), "'8x'"));
  CAF_CHECK(contains(read("http://h:-1/"), "'-1'"));
}

CAF_TEST(a place to listen needs a port unless one is given) {
  CAF_CHECK_EQUAL(read_place("127.0.0.1:0"), "127.0.0.1 0");
  CAF_CHECK_EQUAL(read_place("[::]:8080"), ":: 8080");
  CAF_CHECK_EQUAL(read_place("localhost", 80), "localhost 80");
  CAF_CHECK_EQUAL(read_place("[::1]", 80), "::1 80");
  CAF_CHECK(contains(read_place("127.0.0.1"), "no port"));
  CAF_CHECK(contains(read_place(":8080"), "no host"));
  CAF_CHECK(contains(read_place(""), "no host"));
}
