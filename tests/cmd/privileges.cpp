#include <callboard/cmd/privileges.hpp>

#include <filesystem>
#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

#include <callboard/net/client_error.hpp>

#include "support/scratch_folder.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace callboard::cmd;

namespace {

// What was read, as `USER|GROUP`, or what is wrong with it.
std::string read(std::string_view text) {
  user_name x;
  if (auto wrong = parse_user(text, x); !wrong.empty())
    return wrong;
  return x.user + '|' + x.group;
}

std::string sentence(const caf::error& x) {
  return net::details(x).sentence;
}

// Whom a name stands for, or why it stands for nobody.
std::string find(const user_name& x) {
  auto found = find_account(x);
  return found ? found->name + ' ' + std::to_string(found->user)
               : sentence(found.error());
}

struct fixture {
  callboard::scratch_folder folder;

  std::string path(const char* name) const {
    return folder.path(name);
  }

  // Nobody but root can give a folder to somebody else.
  account self{"self", getuid(), getgid()};
};

} // namespace

CAF_TEST(a user stands alone or with a group) {
  CAF_CHECK_EQUAL(read("callboard"), "callboard|");
  CAF_CHECK_EQUAL(read("callboard:www-data"), "callboard|www-data");
  CAF_CHECK_EQUAL(read(""), "|");
}

CAF_TEST(an empty text takes a user back) {
  user_name x{"callboard", "www-data"};
  CAF_CHECK_EQUAL(parse_user("", x), "");
  CAF_CHECK_EQUAL(x.user, "");
  CAF_CHECK_EQUAL(x.group, "");
}

CAF_TEST(half a name and too many are refused) {
  for (auto text : {":", "a:", ":b", "a:b:c", "a::", "a:b:"})
    CAF_CHECK_EQUAL(read(text),
                    '\'' + std::string{text}
                      + "' is neither the NAME of a user nor NAME:GROUP");
  user_name x{"callboard", "www-data"};
  CAF_CHECK_NOT_EQUAL(parse_user("a:", x), "");
  CAF_CHECK_EQUAL(x.user, "callboard");
  CAF_CHECK_EQUAL(x.group, "www-data");
}

CAF_TEST(root finds who is not root and others find nobody) {
  if (!is_root()) {
    CAF_CHECK_EQUAL(find({"nobody", ""}),
                    "user needs root: this process is user "
                      + std::to_string(geteuid())
                      + " and cannot become 'nobody'");
    return;
  }
  CAF_CHECK(find({"nobody", ""}).starts_with("nobody "));
  CAF_CHECK_NOT_EQUAL(find({"nobody", ""}), "nobody 0");
  CAF_CHECK_EQUAL(find({"root", ""}), "user: 'root' is root itself");
  CAF_CHECK_EQUAL(find({"no-such-user", ""}),
                  "user: there is no user 'no-such-user' on this system");
  CAF_CHECK_EQUAL(find({"nobody", "no-such-group"}),
                  "user: there is no group 'no-such-group' on this system");
}

CAF_TEST(a group that is named takes the place of the own one) {
  if (!is_root())
    return;
  auto own = find_account({"nobody", ""});
  auto other = find_account({"nobody", "daemon"});
  CAF_REQUIRE(own);
  CAF_REQUIRE(other);
  CAF_CHECK_EQUAL(own->user, other->user);
  CAF_CHECK_NOT_EQUAL(own->group, other->group);
}

CAF_TEST_FIXTURE_SCOPE(folders, fixture)

CAF_TEST(a folder is made for its owner and those above it as need be) {
  CAF_CHECK_EQUAL(sentence(make_folder(path("a/b/store"), self)), "");
  struct stat made {};
  CAF_REQUIRE_EQUAL(stat(path("a/b/store").c_str(), &made), 0);
  CAF_CHECK_EQUAL(made.st_uid, self.user);
  CAF_CHECK_EQUAL(made.st_gid, self.group);
  // The rest of the mode is up to the process's mask.
  CAF_CHECK_EQUAL(made.st_mode & 0727u, 0700u);
}

CAF_TEST(a slash at the end is no folder of its own) {
  CAF_CHECK_EQUAL(sentence(make_folder(path("store/"), self)), "");
  CAF_CHECK(std::filesystem::is_directory(path("store")));
}

CAF_TEST(a folder that is there stays as it is) {
  CAF_REQUIRE_EQUAL(mkdir(path("store").c_str(), 0700), 0);
  CAF_REQUIRE_EQUAL(chmod(path("store").c_str(), 0755), 0);
  CAF_CHECK_EQUAL(sentence(make_folder(path("store"), self)), "");
  struct stat there {};
  CAF_REQUIRE_EQUAL(stat(path("store").c_str(), &there), 0);
  CAF_CHECK_EQUAL(there.st_mode & 0777u, 0755u);
}

CAF_TEST(where no folder can be the path is named) {
  std::ofstream{path("file")} << "x";
  auto wrong = sentence(make_folder(path("file/a/store"), self));
  CAF_CHECK(wrong.starts_with("cannot make the folder " + path("file/a")));
}

CAF_TEST_FIXTURE_SCOPE_END()
