#include <callboard/actors/connection_name.hpp>

#include <charconv>
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

connection_id connection_named(std::string_view name) noexcept {
  auto digits = name.substr(name.rfind('-') + 1);
  connection_id result = 0;
  auto end = digits.data() + digits.size();
  auto [rest, ec] = std::from_chars(digits.data(), end, result, 36);
  return ec == std::errc{} && rest == end ? result : 0;
}

} // namespace callboard
