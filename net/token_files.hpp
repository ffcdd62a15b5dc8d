#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <caf/error.hpp>
#include <caf/expected.hpp>

#include <callboard/net/token_key.hpp>

namespace callboard::net {

/// The keys that stand in files, read again when a file is another one. May be
/// used by several threads at a time.
class token_files {
public:
  /// How long the files are not looked at after they were.
  static constexpr auto interval = std::chrono::seconds{1};

  /// Is told of each file that was read again: its path, how many keys it has,
  /// and, where it cannot be used, why. Its keys then stay as they were.
  using observer = std::function<void(const std::string& path, size_t keys,
                                      std::string why)>;

  /// @param key_file a file as `read_token_keys` takes it; empty: none.
  /// @param jwks_file a file as `read_jwks` takes it; empty: none.
  token_files(std::string key_file, std::string jwks_file, observer told);

  /// Reads the files for the first time.
  /// @returns a sentence with the path of one that cannot be used.
  caf::error load();

  /// Returns the keys of all files as they are at `now`, which never goes
  /// back; null before `load`. Looks at the files' times at most once in
  /// `interval`, and reads what has changed.
  std::shared_ptr<const token_keys> current(std::chrono::milliseconds now);

  /// Reads all files, whether or not they are other ones. The observer is not
  /// told.
  /// @returns what makes their keys count, to be called while this lives; or a
  ///          sentence with the path of one that cannot be used.
  caf::expected<std::function<void()>> reload();

private:
  /// What tells one state of a file from the next.
  struct stamp {
    int64_t modified_ns = 0;
    uint64_t size = 0;
    uint64_t inode = 0;

    bool operator==(const stamp&) const = default;
  };

  struct file {
    std::string path;
    caf::expected<token_keys> (*read)(std::string_view);
    stamp seen;
    token_keys keys;
  };

  static stamp stamp_of(const std::string& path);

  // Reads a file, whose state `x.seen` is then.
  static caf::error read(file& x);

  void merge();

  observer told_;
  std::mutex mutex_;
  std::vector<file> files_;
  std::shared_ptr<const token_keys> keys_;
  std::chrono::milliseconds next_look_{0};
};

} // namespace callboard::net
