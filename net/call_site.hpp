#pragma once

#include <cstdint>

namespace callboard::net {

/// A place in the source, as `std::source_location` tells it: Clang has no such
/// thing before version 16 beside GCC's library.
///
///   void f(call_site where = call_site::current()); // where f is called
class call_site {
public:
  static constexpr call_site
  current(const char* file = __builtin_FILE(),
          const char* function = __builtin_FUNCTION(),
          uint_least32_t line = __builtin_LINE()) noexcept {
    call_site result;
    result.file_ = file;
    result.function_ = function;
    result.line_ = line;
    return result;
  }

  /// Returns the path that the compiler was given.
  [[nodiscard]] constexpr const char* file_name() const noexcept {
    return file_;
  }

  [[nodiscard]] constexpr const char* function_name() const noexcept {
    return function_;
  }

  [[nodiscard]] constexpr uint_least32_t line() const noexcept {
    return line_;
  }

private:
  const char* file_ = "";
  const char* function_ = "";
  uint_least32_t line_ = 0;
};

} // namespace callboard::net
