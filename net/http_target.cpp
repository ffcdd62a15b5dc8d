#include <callboard/net/http_target.hpp>

#include <algorithm>

namespace callboard::net {

namespace {

constexpr int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

/// Removes `scheme://authority` from the front of a target.
std::string_view without_authority(std::string_view target) noexcept {
  auto mark = target.find("://");
  if (target.starts_with('/') || mark == std::string_view::npos
      || target.find_first_of("/?") < mark)
    return target;
  target.remove_prefix(mark + 3);
  target.remove_prefix(std::min(target.find_first_of("/?"), target.size()));
  return target;
}

} // namespace

http_target split_http_target(std::string_view target) noexcept {
  auto rest = without_authority(target);
  auto mark = std::min(rest.find('?'), rest.size());
  http_target result{rest.substr(0, mark),
                     rest.substr(std::min(mark + 1, rest.size()))};
  if (result.path.empty())
    result.path = "/";
  return result;
}

std::string_view query_value(std::string_view query,
                             std::string_view name) noexcept {
  while (!query.empty()) {
    auto end = std::min(query.find('&'), query.size());
    auto param = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (param.size() > name.size() && param.starts_with(name)
        && param[name.size()] == '=')
      return param.substr(name.size() + 1);
  }
  return {};
}

std::string_view cookie_value(std::string_view cookies,
                              std::string_view name) noexcept {
  while (!cookies.empty()) {
    auto end = std::min(cookies.find(';'), cookies.size());
    auto pair = cookies.substr(0, end);
    cookies.remove_prefix(std::min(end + 1, cookies.size()));
    pair.remove_prefix(std::min(pair.find_first_not_of(' '), pair.size()));
    auto mark = pair.find('=');
    if (mark == std::string_view::npos || pair.substr(0, mark) != name)
      continue;
    auto value = pair.substr(mark + 1);
    value.remove_suffix(value.size() - (value.find_last_not_of(' ') + 1));
    if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"'))
      value = value.substr(1, value.size() - 2);
    return value;
  }
  return {};
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    if (text.size() - i < 3)
      return std::nullopt;
    auto high = hex_digit(text[i + 1]);
    auto low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0)
      return std::nullopt;
    result += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return result;
}

} // namespace callboard::net
