#pragma once

#include <string>

namespace callboard {

/// Keeps a store's folder for one node as long as it lives, or its process.
class store_lock {
public:
  /// Makes the folder if need be. Throws `store_error`.
  explicit store_lock(const std::string& folder);

  ~store_lock();

  store_lock(const store_lock&) = delete;

  store_lock& operator=(const store_lock&) = delete;

private:
  int descriptor_;
};

} // namespace callboard
