#include <callboard/net/http_list.hpp>

#include <algorithm>

namespace callboard::net {

namespace {

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr bool is_token_char(char c) noexcept {
  if ((c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z'))
    return true;
  return std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
}

} // namespace

bool http_list_reader::at_end() noexcept {
  skip_blanks();
  return rest_.empty();
}

bool http_list_reader::take(char separator) noexcept {
  skip_blanks();
  if (rest_.empty() || rest_.front() != separator)
    return false;
  rest_.remove_prefix(1);
  return true;
}

std::string_view http_list_reader::take_token() noexcept {
  skip_blanks();
  size_t n = 0;
  while (n < rest_.size() && is_token_char(rest_[n]))
    ++n;
  auto token = rest_.substr(0, n);
  rest_.remove_prefix(n);
  return token;
}

std::string_view http_list_reader::take_quotable_token() noexcept {
  skip_blanks();
  if (rest_.empty() || rest_.front() != '"')
    return take_token();
  size_t n = 1;
  while (n < rest_.size() && is_token_char(rest_[n]))
    ++n;
  if (n == rest_.size() || rest_[n] != '"')
    return {};
  auto token = rest_.substr(1, n - 1);
  rest_.remove_prefix(n + 1);
  return token;
}

void http_list_reader::skip_blanks() noexcept {
  auto n = std::min(rest_.find_first_not_of(" \t"), rest_.size());
  rest_.remove_prefix(n);
}

bool is_token(std::string_view x) noexcept {
  return !x.empty() && std::ranges::all_of(x, is_token_char);
}

bool has_element(std::string_view list, std::string_view element) noexcept {
  constexpr std::string_view blanks = " \t";
  while (!list.empty()) {
    auto comma = std::min(list.find(','), list.size());
    auto candidate = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    candidate.remove_prefix(
      std::min(candidate.find_first_not_of(blanks), candidate.size()));
    candidate = candidate.substr(0, candidate.find_last_not_of(blanks) + 1);
    if (equal_ignoring_case(candidate, element))
      return true;
  }
  return false;
}

bool equal_ignoring_case(std::string_view x, std::string_view y) noexcept {
  return std::equal(x.begin(), x.end(), y.begin(), y.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

} // namespace callboard::net
