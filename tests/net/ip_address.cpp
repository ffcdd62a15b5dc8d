#include <callboard/net/ip_address.hpp>

#include <set>
#include <string>
#include <string_view>

#include "support/test.hpp"

using namespace callboard::net;

using namespace std::literals;

namespace {

/// Returns an address as it is written back, or "no".
std::string read(std::string_view text) {
  auto x = ip_address::parse(text);
  return x ? x->to_string() : "no";
}

bool contains(std::string_view network, std::string_view address) {
  auto x = ip_network::parse(network);
  auto y = ip_address::parse(address);
  CAF_REQUIRE(x);
  CAF_REQUIRE(y);
  return x->contains(*y);
}

bool same(std::string_view x, std::string_view y) {
  return make_address_key(x) == make_address_key(y);
}

} // namespace

CAF_TEST(addresses are read and written) {
  CHECK_EQ(read("192.0.2.1"), "192.0.2.1");
  CHECK_EQ(read("2001:db8::1"), "2001:db8::1");
  CHECK_EQ(read("::"), "::");
  CHECK_EQ(read("::1"), "::1");
  CHECK_EQ(read("::ffff:192.0.2.1"), "192.0.2.1");
  CHECK_EQ(read("::ffff:c000:201"), "192.0.2.1");
  CHECK_EQ(read("::fffe:192.0.2.1"), "::fffe:c000:201");
  for (auto x :
       {""sv, "a"sv, "192.0.2"sv, "192.0.2.256"sv, "192.0.2.1 "sv,
        "192.0.2.1:80"sv, "[::1]"sv, "::1::"sv, "unknown"sv, "192.0.2.1\0x"sv})
    CHECK_EQ(read(x), "no");
}

CAF_TEST(a wrapped v4 address is one) {
  CHECK(ip_address::parse("192.0.2.1")->is_v4());
  CHECK(ip_address::parse("::ffff:192.0.2.1")->is_v4());
  CHECK(!ip_address::parse("::1")->is_v4());
  CHECK(!ip_address::parse("::192.0.2.1")->is_v4());
}

CAF_TEST(networks have a length or are one address) {
  for (auto x : {"192.0.2.1", "::1", "10.0.0.0/8", "0.0.0.0/0", "10.0.0.0/32",
                 "2001:db8::/32", "::/0", "::1/128", "::ffff:10.0.0.0/96",
                 "::ffff:10.0.0.0/104", "10.1.2.3/8"})
    CHECK(ip_network::parse(x));
  for (auto x : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1",
                 "10.0.0.0/8x", "10.0.0.0/ 8", "10.0.0.0/4294967295", "10/8",
                 "::ffff:10.0.0.0/95", "example.org", "10.0.0.0/8/8"})
    CHECK(!ip_network::parse(x));
}

CAF_TEST(a network contains what begins like it) {
  CHECK(contains("10.0.0.0/8", "10.0.0.0"));
  CHECK(contains("10.0.0.0/8", "10.255.255.255"));
  CHECK(!contains("10.0.0.0/8", "11.0.0.0"));
  CHECK(!contains("10.0.0.0/8", "9.255.255.255"));
  CHECK(contains("10.1.2.3/8", "10.9.9.9"));
  CHECK(contains("192.0.2.128/25", "192.0.2.255"));
  CHECK(!contains("192.0.2.128/25", "192.0.2.127"));
  CHECK(contains("192.0.2.1", "192.0.2.1"));
  CHECK(!contains("192.0.2.1", "192.0.2.2"));
  CHECK(!contains("192.0.2.1", "192.0.2.0"));
  CHECK(contains("192.0.2.0/31", "192.0.2.1"));
  CHECK(!contains("192.0.2.0/31", "192.0.2.2"));
  CHECK(contains("0.0.0.0/0", "255.255.255.255"));
  CHECK(contains("2001:db8::/33", "2001:db8:7fff::"));
  CHECK(!contains("2001:db8::/33", "2001:db8:8000::"));
  CHECK(contains("::1", "::1"));
  CHECK(!contains("::1", "::"));
}

CAF_TEST(v4 and v6 are apart and a wrapped v4 address is v4) {
  CHECK(contains("10.0.0.0/8", "::ffff:10.1.1.1"));
  CHECK(contains("::ffff:10.0.0.0/104", "10.1.1.1"));
  CHECK(!contains("::ffff:10.0.0.0/104", "11.1.1.1"));
  CHECK(contains("::/0", "2001:db8::1"));
  CHECK(!contains("::/0", "10.1.1.1"));
  CHECK(!contains("::/0", "::ffff:10.1.1.1"));
  CHECK(!contains("0.0.0.0/0", "::1"));
}

CAF_TEST(a v4 address counts for itself) {
  CHECK(same("192.0.2.1", "192.0.2.1"));
  CHECK(same("192.0.2.1", "::ffff:192.0.2.1"));
  CHECK(!same("192.0.2.1", "192.0.2.2"));
  CHECK(!same("192.0.2.1", "::192.0.2.1"));
}

CAF_TEST(64 bits of v6 count as one) {
  CHECK(same("2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff"));
  CHECK(!same("2001:db8:0:1::1", "2001:db8:0:2::1"));
  CHECK(same("::1", "::"));
}

CAF_TEST(what is no address counts as one of its own) {
  CHECK(same("", "unknown"));
  CHECK(!same("", "192.0.2.1"));
  CHECK(!same("", "2001:db8::"));
}

CAF_TEST(the hash goes by all bits of the key and by the seed) {
  address_key_hash hash{1};
  std::set<size_t> seen;
  for (auto i = 0; i < 256; ++i) {
    seen.insert(hash(make_address_key("192.0.2." + std::to_string(i))));
    seen.insert(
      hash(make_address_key("2001:db8:0:" + std::to_string(i) + "::")));
  }
  CHECK_EQ(seen.size(), 512u);
  auto key = make_address_key("192.0.2.1");
  CHECK_EQ(hash(key), address_key_hash{1}(key));
  CHECK_NE(hash(key), address_key_hash{2}(key));
}
