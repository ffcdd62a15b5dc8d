#include <callboard/net/ws_extensions.hpp>

#include <algorithm>

#include <callboard/net/http_list.hpp>

namespace callboard::net {

namespace {

constexpr std::string_view deflate_name = "permessage-deflate";

/// Reads `token *( ";" token [ "=" value ] )`.
bool read_extension(http_list_reader& reader, ws_extension& result) {
  result.name = reader.take_token();
  if (result.name.empty())
    return false;
  while (reader.take(';')) {
    auto& param = result.params.emplace_back();
    param.name = reader.take_token();
    if (param.name.empty())
      return false;
    if (reader.take('=')) {
      param.has_value = true;
      param.value = reader.take_quotable_token();
      if (param.value.empty())
        return false;
    }
  }
  return true;
}

/// Returns 8 ... 15, or 0 if `value` is none of these in its only form.
int read_window_bits(std::string_view value) noexcept {
  if (value == "8" || value == "9")
    return value[0] - '0';
  if (value.size() == 2 && value[0] == '1' && value[1] >= '0'
      && value[1] <= '5')
    return 10 + value[1] - '0';
  return 0;
}

bool is_repeated(const ws_extension& offer, const ws_extension_param& param) {
  return std::count_if(offer.params.begin(), offer.params.end(),
                       [&](auto& x) { return x.name == param.name; })
         > 1;
}

std::optional<ws_deflate_params> accept(const ws_extension& offer) {
  ws_deflate_params result;
  // Refuses long offers outright: there are four parameters.
  if (offer.params.size() > 4)
    return std::nullopt;
  for (auto& param : offer.params) {
    if (is_repeated(offer, param))
      return std::nullopt;
    if (param.name == "server_no_context_takeover"
        || param.name == "client_no_context_takeover") {
      if (param.has_value)
        return std::nullopt;
    } else if (param.name == "client_max_window_bits") {
      if (param.has_value && read_window_bits(param.value) == 0)
        return std::nullopt;
    } else if (param.name == "server_max_window_bits") {
      result.server_window_bits = read_window_bits(param.value);
      result.window_asked = true;
      if (result.server_window_bits < 9)
        return std::nullopt;
    } else {
      return std::nullopt;
    }
  }
  return result;
}

} // namespace

std::optional<std::vector<ws_extension>>
parse_ws_extensions(std::string_view list) {
  std::vector<ws_extension> result;
  http_list_reader reader{list};
  while (!reader.at_end()) {
    // Empty elements count for nothing (RFC 7230, 7).
    if (reader.take(','))
      continue;
    if (!read_extension(reader, result.emplace_back()))
      return std::nullopt;
    if (!reader.at_end() && !reader.take(','))
      return std::nullopt;
  }
  return result;
}

std::optional<ws_deflate_params>
choose_deflate(const std::vector<ws_extension>& offers) {
  for (auto& offer : offers)
    if (equal_ignoring_case(offer.name, deflate_name))
      if (auto params = accept(offer))
        return params;
  return std::nullopt;
}

std::string to_header(const ws_deflate_params& params) {
  std::string result{deflate_name};
  result += "; server_no_context_takeover; client_no_context_takeover";
  if (params.window_asked) {
    result += "; server_max_window_bits=";
    result += std::to_string(params.server_window_bits);
  }
  return result;
}

} // namespace callboard::net
