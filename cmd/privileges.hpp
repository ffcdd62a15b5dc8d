#pragma once

#include <string>
#include <string_view>

#include <sys/types.h>

#include <caf/error.hpp>
#include <caf/expected.hpp>

namespace callboard::cmd {

/// A user of the system, as words name it.
struct user_name {
  /// Empty: none was named.
  std::string user;
  /// Empty: the user's own.
  std::string group;
};

/// Reads `NAME[:GROUP]`; an empty text names nobody. Looks nothing up.
/// @returns empty, or what is wrong, and `result` is as it was.
std::string parse_user(std::string_view text, user_name& result);

/// A user of the system, as the kernel knows it.
struct account {
  std::string name;
  uid_t user = 0;
  gid_t group = 0;
};

/// Returns whether this process has root's rights.
bool is_root() noexcept;

/// Looks up whom this process is to become.
/// @returns a sentence if there is no such user or group, if it is root
///          itself, or if this process is not root's.
caf::expected<account> find_account(const user_name& x);

/// Makes a folder that belongs to `x`, for nobody else to read but its group.
/// Folders above it are made as need be and stay root's; what is there already
/// stays as it is.
caf::error make_folder(const std::string& path, const account& x);

/// Has programs that this thread starts, and its threads from now on, never get
/// more rights than it has. Call it before there is a second thread.
/// @returns false where the kernel does not take it.
bool forbid_new_privileges() noexcept;

/// Becomes `x` in all threads of the process, for good.
/// @returns a sentence if a step fails, or if there is a way back: then the
///          process must end.
caf::error drop_privileges(const account& x);

} // namespace callboard::cmd
