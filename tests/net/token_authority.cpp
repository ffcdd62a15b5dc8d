#include <callboard/net/token_authority.hpp>

#include <fstream>
#include <string>

#include <callboard/net/client_error.hpp>

#include "net/token_fixture.hpp"
#include "support/scratch_folder.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace callboard::net;

namespace {

std::string failure(const token_options& x) {
  auto made = make_token_authority(x);
  return made ? "" : details(made.error()).sentence;
}

} // namespace

CAF_TEST(rights decide where there are some) {
  identity who{"ann"};
  CHECK(is_granted(who, operation::register_action, "anything"));
  auto rights = std::make_shared<grants>();
  rights->add(operation::publish, "a");
  who.rights = rights;
  CHECK(is_granted(who, operation::publish, "a"));
  CHECK(!is_granted(who, operation::publish, "b"));
  CHECK(!is_granted(who, operation::subscribe, "a"));
}

CAF_TEST(the own topic may be read by its user only) {
  identity who{"ann"};
  who.rights = std::make_shared<grants>();
  CHECK(is_granted(who, operation::subscribe, "$user/ann"));
  CHECK(!is_granted(who, operation::publish, "$user/ann"));
  CHECK(!is_granted(who, operation::subscribe, "$user/bob"));
  CHECK(!is_granted(who, operation::subscribe, "$user/ann/x"));
  CHECK(!is_granted(who, operation::subscribe, "$user/+"));
  who.user.clear();
  CHECK(!is_granted(who, operation::subscribe, "$user/"));
}

CAF_TEST(only a token or a certificate lets in) {
  scratch_folder folder;
  token_options x;
  x.key_file = folder.path("key");
  std::ofstream{x.key_file} << std::string(32, 'k');
  auto made = make_token_authority(x);
  CAF_REQUIRE(made);
  CHECK(!made->authenticate({}));
  CHECK(!made->authenticate({.token = "", .address = "192.0.2.7"}));
  CHECK(!made->authenticate({.token = "ann", .certificate = "ann"}));
  auto who = made->authenticate({.address = "192.0.2.7", .certificate = "ann"});
  CAF_REQUIRE(who);
  CHECK_EQ(who->user, "ann");
}

CAF_TEST(what cannot be is told) {
  token_options x;
  x.key_file = "/nowhere/key";
  CHECK_EQ(failure(x), "/nowhere/key: It cannot be read.");
  x.anonymous_actions = {"a//b"};
  CHECK(failure(x).find("'a//b'") != std::string::npos);
}
