#include <callboard/actors/connection_name.hpp>

#include <iterator>

namespace callboard {

std::string connection_name(std::string_view node, connection_id id) {
  static constexpr char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
  char text[13];
  auto at = std::end(text);
  for (auto rest = id; rest > 0; rest /= 36)
    *--at = digits[rest % 36];
  std::string result{node};
  result += '-';
  result.append(at, std::end(text));
  return result;
}

} // namespace callboard
