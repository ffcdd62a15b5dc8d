#include <callboard/net/trusted_proxies.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "support/test.hpp"

using namespace callboard::net;

namespace {

struct fixture {
  std::string client(std::string_view peer, std::string_view list) {
    return proxies.client_of(peer, list);
  }

  trusted_proxies proxies{{"10.0.0.0/8", "192.0.2.1", "2001:db8::/32"}};
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(entries are checked) {
  for (auto x : {"10.0.0.0/8", "192.0.2.1", "2001:db8::/32", "::1"})
    CHECK_EQ(check_proxy(x), "");
  for (auto x : {"", "10.0.0.0/33", "proxy", "*"})
    CHECK_EQ(check_proxy(x),
             "It takes an IP address, or a network like 10.0.0.0/8.");
}

CAF_TEST(a proxy is believed) {
  CHECK_EQ(client("10.1.1.1", "198.51.100.1"), "198.51.100.1");
  CHECK_EQ(client("192.0.2.1", "198.51.100.1"), "198.51.100.1");
  CHECK_EQ(client("2001:db8::7", "2001:dead::1"), "2001:dead::1");
  CHECK_EQ(client("::ffff:10.1.1.1", "198.51.100.1"), "198.51.100.1");
}

CAF_TEST(nobody else is believed) {
  CHECK_EQ(client("192.0.2.2", "198.51.100.1"), "192.0.2.2");
  CHECK_EQ(client("2001:db9::", "198.51.100.1"), "2001:db9::");
  CHECK_EQ(client("no address", "198.51.100.1"), "no address");
  trusted_proxies none{std::vector<std::string>{}};
  CHECK_EQ(none.client_of("10.1.1.1", "198.51.100.1"), "10.1.1.1");
  CHECK(!none.trusts("10.1.1.1"));
}

CAF_TEST(a proxy that says nothing asks for itself) {
  CHECK_EQ(client("10.1.1.1", ""), "10.1.1.1");
}

CAF_TEST(the last one that is no proxy counts) {
  CHECK_EQ(client("10.1.1.1", "203.0.113.9, 198.51.100.1"), "198.51.100.1");
  CHECK_EQ(client("10.1.1.1", "203.0.113.9, 198.51.100.1, 10.2.2.2"),
           "198.51.100.1");
  CHECK_EQ(client("10.1.1.1", "198.51.100.1,192.0.2.1,10.2.2.2"),
           "198.51.100.1");
  // What stands in front of it may be anything.
  CHECK_EQ(client("10.1.1.1", "rubbish, 198.51.100.1, 10.2.2.2"),
           "198.51.100.1");
}

CAF_TEST(where all are proxies the first one counts) {
  CHECK_EQ(client("10.1.1.1", "10.3.3.3"), "10.3.3.3");
  CHECK_EQ(client("10.1.1.1", "10.3.3.3, 10.2.2.2"), "10.3.3.3");
}

CAF_TEST(where something else is on the way the peer counts) {
  for (auto list : {"unknown", "198.51.100.1,", ",", " ", "198.51.100.1, x",
                    "198.51.100.1, 10.2.2.2, _hidden", "198.51.100.1 x",
                    "198.51.100.1, , 10.2.2.2", "[::1", "198.51.100"})
    CHECK_EQ(client("10.1.1.1", list), "10.1.1.1");
}

CAF_TEST(blanks and ports are no matter) {
  CHECK_EQ(client("10.1.1.1", " \t198.51.100.1\t "), "198.51.100.1");
  CHECK_EQ(client("10.1.1.1", "198.51.100.1:4711"), "198.51.100.1");
  CHECK_EQ(client("10.1.1.1", "[2001:dead::1]:4711"), "2001:dead::1");
  CHECK_EQ(client("10.1.1.1", "[2001:dead::1]"), "2001:dead::1");
  CHECK_EQ(client("10.1.1.1", "2001:dead::1"), "2001:dead::1");
  CHECK_EQ(client("10.1.1.1", "198.51.100.1, 10.2.2.2:80"), "198.51.100.1");
}

CAF_TEST(a wrapped v4 address is told as v4) {
  CHECK_EQ(client("10.1.1.1", "::ffff:198.51.100.1"), "198.51.100.1");
  CHECK_EQ(client("10.1.1.1", "198.51.100.1, ::ffff:10.2.2.2"), "198.51.100.1");
}

END_FIXTURE_SCOPE()
