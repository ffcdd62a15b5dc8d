#include "privileges.hpp"

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <vector>

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <caf/sec.hpp>

namespace callboard::cmd {

namespace {

caf::error fail(std::string sentence) {
  return caf::make_error(caf::sec::invalid_argument, std::move(sentence));
}

// A step of the system's that failed just now.
caf::error fail_step(const std::string& step) {
  return caf::make_error(caf::sec::runtime_error,
                         step + ": " + std::generic_category().message(errno));
}

// Calls getpwnam_r or getgrnam_r with room enough.
// @returns whether there is an entry with this name.
template <class Entry, class Lookup>
bool look_up(Lookup lookup, const std::string& name, Entry& result) {
  std::vector<char> text(1024);
  Entry* found = nullptr;
  while (lookup(name.c_str(), &result, text.data(), text.size(), &found)
         == ERANGE)
    text.resize(text.size() * 2);
  return found != nullptr;
}

// Returns whether this process is `x` alone, and cannot be root again.
bool is_for_good(const account& x) {
  uid_t user = 0;
  uid_t effective_user = 0;
  uid_t saved_user = 0;
  gid_t group = 0;
  gid_t effective_group = 0;
  gid_t saved_group = 0;
  if (getresuid(&user, &effective_user, &saved_user) != 0
      || getresgid(&group, &effective_group, &saved_group) != 0)
    return false;
  if (user != x.user || effective_user != x.user || saved_user != x.user
      || group != x.group || effective_group != x.group
      || saved_group != x.group)
    return false;
  if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
    return false;
  auto is_a_way_back = setuid(0) == 0 || seteuid(0) == 0
                       || (x.group != 0 && setgid(0) == 0);
  return !is_a_way_back;
}

} // namespace

std::string parse_user(std::string_view text, user_name& result) {
  auto colon = text.find(':');
  auto user = text.substr(0, colon);
  auto group = colon == text.npos ? std::string_view{} : text.substr(colon + 1);
  auto is_whole = colon == text.npos || (!user.empty() && !group.empty());
  if (!is_whole || group.find(':') != group.npos)
    return '\'' + std::string{text}
           + "' is neither the NAME of a user nor NAME:GROUP";
  result.user = user;
  result.group = group;
  return {};
}

bool is_root() noexcept {
  return geteuid() == 0;
}

caf::expected<account> find_account(const user_name& x) {
  if (!is_root())
    return fail("user needs root: this process is user "
                + std::to_string(geteuid()) + " and cannot become '" + x.user
                + '\'');
  ::passwd user{};
  if (!look_up(getpwnam_r, x.user, user))
    return fail("user: there is no user '" + x.user + "' on this system");
  if (user.pw_uid == 0)
    return fail("user: '" + x.user + "' is root itself");
  account result{x.user, user.pw_uid, user.pw_gid};
  if (x.group.empty())
    return result;
  ::group found{};
  if (!look_up(getgrnam_r, x.group, found))
    return fail("user: there is no group '" + x.group + "' on this system");
  result.group = found.gr_gid;
  return result;
}

caf::error make_folder(const std::string& path, const account& x) {
  std::filesystem::path folder{path};
  if (!folder.has_filename())
    folder = folder.parent_path();
  if (folder.has_parent_path()) {
    std::error_code failed;
    std::filesystem::create_directories(folder.parent_path(), failed);
    if (failed)
      return fail("cannot make the folder " + folder.parent_path().string()
                  + ": " + failed.message());
  }
  if (mkdir(folder.c_str(), 0750) != 0) {
    if (errno == EEXIST)
      return {};
    return fail_step("cannot make the folder " + path);
  }
  if (lchown(folder.c_str(), x.user, x.group) != 0)
    return fail_step("cannot give the folder " + path + " to " + x.name);
  return {};
}

bool forbid_new_privileges() noexcept {
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

caf::error drop_privileges(const account& x) {
  // The C library does each of these three in all threads.
  if (initgroups(x.name.c_str(), x.group) != 0)
    return fail_step("cannot take the groups of user " + x.name);
  if (setgid(x.group) != 0)
    return fail_step("cannot take group " + std::to_string(x.group));
  if (setuid(x.user) != 0)
    return fail_step("cannot become user " + x.name);
  if (!is_for_good(x))
    return fail("cannot give up root for good");
  return {};
}

} // namespace callboard::cmd
