#include "setting.hpp"

#include <algorithm>
#include <optional>

#include "units.hpp"

namespace callboard::cmd {

namespace {

std::string quoted(std::string_view text) {
  return '\'' + std::string{text} + '\'';
}

// Makes a setting whose values have an order, a reader and a writer.
template <class T, class Parse, class Format>
setting bounded(std::string name, std::string takes, std::string help, T& x,
                T min, T max, std::string what, std::string unit, Parse parse,
                Format format) {
  auto bounds = format(min) + " to " + format(max) + unit;
  auto set = [&x, min, max, what, bounds, parse](std::string_view text) {
    auto value = parse(text);
    if (!value)
      return quoted(text) + " is not " + what + "; it takes " + bounds;
    if (*value < min || *value > max)
      return quoted(text) + " is out of bounds; it takes " + bounds;
    x = static_cast<T>(*value);
    return std::string{};
  };
  auto show = [&x, format] { return format(x); };
  return {std::move(name),
          std::move(takes),
          std::move(help),
          bounds,
          format(x),
          set,
          show};
}

std::string join(const std::vector<std::string>& x) {
  std::string result;
  for (auto& item : x)
    result += (result.empty() ? "" : ",") + item;
  return result;
}

} // namespace

setting duration_setting(std::string name, std::string help, caf::timespan& x,
                         caf::timespan min, caf::timespan max) {
  return bounded(std::move(name), "DURATION", std::move(help), x, min, max,
                 "a duration with a unit (ms, s, m, h)", "", parse_duration,
                 format_duration);
}

setting size_setting(std::string name, std::string help, size_t& x, size_t min,
                     size_t max) {
  return bounded(std::move(name), "SIZE", std::move(help), x, min, max,
                 "a number of bytes (B, KiB, MiB, GiB)", "", parse_size,
                 format_size);
}

setting count_setting(std::string name, std::string help, size_t& x, size_t min,
                      size_t max) {
  return bounded(std::move(name), "NUMBER", std::move(help), x, min, max,
                 "a number", "", parse_count,
                 [](size_t n) { return std::to_string(n); });
}

setting share_setting(std::string name, std::string help, double& x) {
  return bounded(std::move(name), "SHARE", std::move(help), x, 0.0, 1.0,
                 "a share like 0.5", "", parse_share, format_share);
}

setting text_setting(std::string name, std::string takes, std::string help,
                     std::string& x) {
  auto set = [&x](std::string_view text) {
    x = text;
    return std::string{};
  };
  return {std::move(name),   std::move(takes), std::move(help), "", x, set,
          [&x] { return x; }};
}

setting list_setting(std::string name, std::string takes, std::string help,
                     std::vector<std::string>& x,
                     std::string_view (*check)(std::string_view)) {
  auto set = [&x, check](std::string_view text) {
    x.clear();
    while (!text.empty()) {
      auto item = text.substr(0, text.find(','));
      text.remove_prefix(std::min(item.size() + 1, text.size()));
      if (auto wrong = check(item); !wrong.empty())
        return quoted(item) + " is wrong. " + std::string{wrong};
      x.emplace_back(item);
    }
    return std::string{};
  };
  return {std::move(name),
          std::move(takes),
          std::move(help),
          "with commas in between",
          "",
          set,
          [&x] { return join(x); }};
}

setting choice_setting(std::string name, std::string help, std::string& x,
                       std::vector<std::string> choices) {
  std::string bounds;
  for (auto& choice : choices)
    bounds += (bounds.empty() ? "" : ", ") + choice;
  auto set = [&x, choices = std::move(choices), bounds](std::string_view text) {
    if (std::find(choices.begin(), choices.end(), text) == choices.end())
      return quoted(text) + " is not one of " + bounds;
    x = text;
    return std::string{};
  };
  return {std::move(name),   "WORD", std::move(help), bounds, x, set,
          [&x] { return x; }};
}

setting switch_setting(std::string name, std::string help, bool& x,
                       bool when_on) {
  auto set = [&x, when_on](std::string_view text) {
    auto on = parse_switch(text);
    if (!on)
      return quoted(text) + " is neither true nor false";
    x = *on == when_on;
    return std::string{};
  };
  auto show = [&x, when_on] {
    return std::string{x == when_on ? "on" : "off"};
  };
  return {std::move(name), "", std::move(help), "", "", set, show};
}

setting live(setting x) {
  x.live = true;
  return x;
}

std::string environment_name(std::string_view setting_name) {
  std::string result{"CALLBOARD_"};
  for (auto c : setting_name)
    result += c == '-' ? '_' : (c >= 'a' && c <= 'z') ? char(c - 'a' + 'A') : c;
  return result;
}

} // namespace callboard::cmd
