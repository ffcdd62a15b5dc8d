#include <callboard/net/client_inbox.hpp>

#include <string>
#include <vector>

#include <callboard/messages/errc.hpp>

#include "support/test.hpp"

using namespace callboard;
using namespace callboard::net;

namespace {

struct fixture {
  uint64_t receive(const std::string& who) {
    return uut.receive([this, who](const caf::expected<int>& x) {
      log.push_back(who + (x ? std::to_string(*x) : to_string(x.error())));
    });
  }

  client_inbox<int> uut{2};
  std::vector<std::string> log;
  using lines = std::vector<std::string>;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(client_inbox_tests, fixture)

CAF_TEST(what arrived is received in its order) {
  CAF_CHECK_EQUAL(uut.push(1), 0u);
  CAF_CHECK_EQUAL(uut.push(2), 0u);
  CAF_CHECK_EQUAL(receive("a"), 0u);
  CAF_CHECK_EQUAL(receive("b"), 0u);
  CAF_CHECK_EQUAL(log, (lines{"a1", "b2"}));
}

CAF_TEST(who waits for longest is first) {
  auto a = receive("a");
  auto b = receive("b");
  CAF_CHECK_NOT_EQUAL(a, b);
  uut.push(1);
  uut.push(2);
  uut.push(3);
  CAF_CHECK_EQUAL(log, (lines{"a1", "b2"}));
  CAF_CHECK_EQUAL(uut.size(), 1u);
}

CAF_TEST(the oldest gives way) {
  uut.push(1);
  uut.push(2);
  CAF_CHECK_EQUAL(uut.push(3), 1u);
  CAF_REQUIRE(uut.front() != nullptr);
  CAF_CHECK_EQUAL(*uut.front(), 2);
  CAF_CHECK_EQUAL(uut.size(), 2u);
}

CAF_TEST(a wait that is forgotten gets nothing) {
  auto a = receive("a");
  receive("b");
  uut.forget(a);
  uut.forget(a);
  uut.push(1);
  CAF_CHECK_EQUAL(log, lines{"b1"});
}

CAF_TEST(what is closed gives what it has and then says why) {
  uut.push(1);
  uut.close(caf::make_error(errc::forbidden));
  uut.close(caf::make_error(errc::internal));
  uut.push(2);
  receive("a");
  CAF_CHECK_EQUAL(log, lines{"a1"});
  auto got = errc::none;
  uut.receive([&got](const auto& x) { got = errc_of(x.error()); });
  CAF_CHECK_EQUAL(got, errc::forbidden);
}

CAF_TEST(a close fails who waits) {
  auto got = errc::none;
  uut.receive([&got](const auto& x) { got = errc_of(x.error()); });
  uut.close(caf::make_error(errc::cancelled));
  CAF_CHECK_EQUAL(got, errc::cancelled);
}

CAF_TEST_FIXTURE_SCOPE_END()
