#pragma once

#include <stdexcept>
#include <string>

namespace callboard {

/// What is wrong with a store.
enum class store_trouble {
  /// Its folder or file cannot be read or written.
  unusable,
  /// Somebody else has it open.
  locked,
  /// It is not a store, or one of a later version.
  foreign,
  /// What it holds contradicts itself.
  corrupt,
  /// There is no room for more.
  full,
};

/// Thrown within this folder only.
class store_error : public std::runtime_error {
public:
  /// @param sentence for people; names the file.
  store_error(store_trouble what, const std::string& sentence)
    : std::runtime_error{sentence}, trouble{what} {
  }

  store_trouble trouble;
};

} // namespace callboard
