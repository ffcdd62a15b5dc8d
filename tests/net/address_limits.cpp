#include <callboard/net/address_limits.hpp>

#include <optional>
#include <string>
#include <string_view>

#include "support/test.hpp"

using namespace callboard;
using namespace callboard::net;

namespace {

constexpr auto ann = "192.0.2.1";
constexpr auto bob = "192.0.2.2";

struct fixture {
  std::string handshake(std::string_view address, int64_t now_ms = 0) {
    return words(limits().take_handshake(address, now_ms));
  }

  std::string open(std::string_view address, int64_t now_ms = 0) {
    return words(limits().open_connection(address, now_ms));
  }

  void close(std::string_view address, int64_t now_ms = 0) {
    limits().close_connection(address, now_ms);
  }

  static std::string words(const std::optional<limit_hit>& x) {
    if (!x)
      return "in";
    return std::string{to_string(x->what)}
           + (x->wait_ms > 0 ? ' ' + std::to_string(x->wait_ms) : "");
  }

  address_limits& limits() {
    if (!made)
      made.emplace(options);
    return *made;
  }

  server_options options;
  std::optional<address_limits> made;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(without limits everybody is let in and counted) {
  for (auto i = 0; i < 1000; ++i) {
    CHECK_EQ(handshake(ann), "in");
    CHECK_EQ(open(ann), "in");
    CHECK(limits().open_session(ann, 0));
  }
  CHECK_EQ(limits().size(), 1u);
  for (auto i = 0; i < 1000; ++i) {
    close(ann);
    limits().close_session(ann, 0);
  }
  CHECK_EQ(limits().size(), 0u);
}

CAF_TEST(an address has as many connections as may be) {
  options.address_connections_max = 2;
  CHECK_EQ(open(ann), "in");
  CHECK_EQ(open("::ffff:192.0.2.1"), "in");
  CHECK_EQ(open(ann), "address_connections");
  CHECK_EQ(open(bob), "in");
  close(ann);
  CHECK_EQ(open(ann), "in");
  CHECK_EQ(open(ann), "address_connections");
}

CAF_TEST(64 bits of v6 are an address) {
  options.address_connections_max = 1;
  CHECK_EQ(open("2001:db8::1"), "in");
  CHECK_EQ(open("2001:db8::2"), "address_connections");
  CHECK_EQ(open("2001:db8:0:1::1"), "in");
}

CAF_TEST(sessions and connections are counted apart) {
  options.address_connections_max = 1;
  options.address_sessions_max = 2;
  CHECK(limits().open_session(ann, 0));
  CHECK(limits().open_session(ann, 0));
  CHECK(!limits().open_session(ann, 0));
  CHECK_EQ(open(ann), "in");
  CHECK_EQ(open(ann), "address_connections");
  limits().close_session(ann, 0);
  CHECK(limits().open_session(ann, 0));
  CHECK(!limits().open_session(ann, 0));
}

CAF_TEST(an address is forgotten with the last that it has) {
  options.address_connections_max = 5;
  options.address_sessions_max = 5;
  limits().open_session(ann, 0);
  open(ann);
  open(ann);
  CHECK_EQ(limits().size(), 1u);
  limits().close_session(ann, 0);
  close(ann);
  CHECK_EQ(limits().size(), 1u);
  close(ann);
  CHECK_EQ(limits().size(), 0u);
}

CAF_TEST(an address has a burst of handshakes and then a rate) {
  options.address_handshakes = {10, 2};
  CHECK_EQ(handshake(ann), "in");
  CHECK_EQ(handshake(ann), "in");
  CHECK_EQ(handshake(ann), "address_handshakes 100");
  CHECK_EQ(handshake(bob), "in");
  CHECK_EQ(handshake(ann, 99), "address_handshakes 1");
  CHECK_EQ(handshake(ann, 100), "in");
}

CAF_TEST(to close and come again brings no new burst) {
  options.address_connections_max = 5;
  options.address_handshakes = {10, 2};
  for (auto i = 0; i < 2; ++i) {
    CHECK_EQ(handshake(ann), "in");
    CHECK_EQ(open(ann), "in");
    close(ann);
  }
  CHECK_EQ(limits().size(), 1u);
  CHECK_EQ(handshake(ann), "address_handshakes 100");
  // What was used is there again at 200, and then there is nothing to know.
  CHECK_EQ(handshake(bob, 200), "in");
  CHECK_EQ(limits().size(), 1u);
}

CAF_TEST(a limit that comes later counts who is there) {
  CHECK_EQ(open(ann), "in");
  CHECK_EQ(open(ann), "in");
  CHECK(limits().open_session(ann, 0));
  options.address_connections_max = 2;
  options.address_sessions_max = 1;
  limits().set_limits(options);
  CHECK_EQ(open(ann), "address_connections");
  CHECK(!limits().open_session(ann, 0));
  CHECK_EQ(open(bob), "in");
  close(ann);
  CHECK_EQ(open(ann), "in");
  options.address_connections_max = 1;
  limits().set_limits(options);
  close(ann);
  CHECK_EQ(open(ann), "address_connections");
  close(ann);
  CHECK_EQ(open(ann), "in");
}

CAF_TEST(another rate of handshakes brings no burst) {
  options.handshakes = {10, 4};
  options.address_handshakes = {10, 2};
  CHECK_EQ(handshake(ann), "in");
  CHECK_EQ(handshake(ann), "in");
  options.address_handshakes = {1000, 100};
  limits().set_limits(options);
  CHECK_EQ(handshake(ann), "address_handshakes 1");
  CHECK_EQ(handshake(bob), "in");
  CHECK_EQ(handshake(bob), "in");
  options.handshakes = {1000, 100};
  limits().set_limits(options);
  CHECK_EQ(handshake(bob), "handshakes 1");
  options.handshakes = {};
  options.address_handshakes = {};
  limits().set_limits(options);
  for (auto i = 0; i < 1000; ++i)
    CHECK_EQ(handshake(ann), "in");
}

CAF_TEST(all addresses together have a burst and a rate) {
  options.handshakes = {10, 2};
  CHECK_EQ(handshake(ann), "in");
  CHECK_EQ(handshake(bob), "in");
  CHECK_EQ(handshake("192.0.2.3"), "handshakes 100");
  CHECK_EQ(handshake("192.0.2.3", 99), "handshakes 1");
  CHECK_EQ(handshake("192.0.2.3", 100), "in");
  // No address matters, so none is kept.
  CHECK_EQ(limits().size(), 0u);
}

CAF_TEST(an address beyond its rate takes nothing from the others) {
  options.handshakes = {10, 3};
  options.address_handshakes = {10, 1};
  CHECK_EQ(handshake(ann), "in");
  for (auto i = 0; i < 10; ++i)
    CHECK_EQ(handshake(ann), "address_handshakes 100");
  CHECK_EQ(handshake(bob), "in");
  CHECK_EQ(handshake("192.0.2.3"), "in");
  CHECK_EQ(handshake("192.0.2.4"), "handshakes 100");
}

CAF_TEST(addresses that only came are bounded) {
  options.address_handshakes = {1, 1};
  auto refused = 0;
  for (size_t i = 0; i < address_limits::lingering_max + 100; ++i) {
    auto address = "10." + std::to_string(i >> 16) + '.'
                   + std::to_string((i >> 8) & 255) + '.'
                   + std::to_string(i & 255);
    refused += handshake(address) == "in" ? 0 : 1;
  }
  CHECK_EQ(refused, 0);
  CHECK_EQ(limits().size(), address_limits::lingering_max);
}

END_FIXTURE_SCOPE()
