#include <callboard/net/random_text.hpp>

#include <random>

namespace callboard::net {

std::string random_text(size_t n) {
  static constexpr char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::random_device source;
  std::uniform_int_distribution<size_t> pick{0, sizeof(digits) - 2};
  std::string result;
  for (size_t i = 0; i < n; ++i)
    result += digits[pick(source)];
  return result;
}

} // namespace callboard::net
