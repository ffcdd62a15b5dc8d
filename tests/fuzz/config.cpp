// Takes the input as a config file of `callboard serve`. What is accepted is
// what a server can be made with, and means the same when it is written down
// and read again. What is wrong is told with its place, and ends nothing.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <callboard/cmd/config_file.hpp>
#include <callboard/cmd/serve_config.hpp>
#include <callboard/cmd/serve_options.hpp>
#include <callboard/net/server_options.hpp>

#include "fuzz/frames.hpp"
#include "support/type_ids.hpp"

namespace {

using namespace callboard;
using namespace callboard::cmd;

using fuzz::require;

const std::string file = "callboard.conf";

// In quotes, unless that is what it could not stand in.
std::string written(const std::string& value) {
  return value.find('"') == std::string::npos ? '"' + value + '"' : value;
}

// -- the file's grammar -------------------------------------------------------

std::string written(const std::vector<config_line>& lines) {
  std::string result;
  for (auto& x : lines)
    result += x.name + " = " + written(x.value) + '\n';
  return result;
}

std::string written(const config& x) {
  auto result = written(x.lines);
  for (auto& section : x.sections)
    result += '[' + std::string{to_string(section.kind)} + " \""
              + section.pattern + "\"]\n" + written(section.lines);
  return result;
}

bool same(const std::vector<config_line>& xs,
          const std::vector<config_line>& ys) {
  return std::equal(xs.begin(), xs.end(), ys.begin(), ys.end(),
                    [](auto& x, auto& y) {
                      return x.name == y.name && x.value == y.value;
                    });
}

bool same(const config& x, const config& y) {
  return same(x.lines, y.lines)
         && std::equal(x.sections.begin(), x.sections.end(), y.sections.begin(),
                       y.sections.end(), [](auto& a, auto& b) {
                         return a.kind == b.kind && a.pattern == b.pattern
                                && same(a.lines, b.lines);
                       });
}

void check_lines(const config& x, size_t lines_max) {
  size_t last = 0;
  auto follow = [&](size_t line) {
    require(line > last && line <= lines_max);
    last = line;
  };
  for (auto& line : x.lines)
    follow(line.line);
  for (auto& section : x.sections) {
    follow(section.line);
    for (auto& line : section.lines)
      follow(line.line);
  }
}

// Returns how many sections the file has.
size_t check_grammar(std::string_view text) {
  config x;
  if (auto wrong = parse_config(text, x); !wrong.empty()) {
    require(wrong.starts_with("line "));
    return 0;
  }
  auto ends = std::count(text.begin(), text.end(), '\n');
  check_lines(x, static_cast<size_t>(ends) + 1);
  config y;
  require(parse_config(written(x), y).empty() && same(x, y));
  return x.sections.size();
}

// -- what it sets -------------------------------------------------------------

// Reads the text as the server does. Returns whether it was accepted.
bool read(serve_config& places, std::string_view text, serve_options& result) {
  try {
    result = places.read_text(text, file);
    return true;
  } catch (const CLI::ValidationError& error) {
    // A place in the file, or several settings that do not go together.
    std::string_view what{error.what()};
    require(what.starts_with(file) || what.starts_with("settings: "));
    return false;
  }
}

std::vector<std::string> values_of(serve_options& x) {
  std::vector<std::string> result;
  for (auto& each : serve_settings(x))
    result.push_back(each.show ? each.show() : std::string{});
  return result;
}

// Returns a file with the settings that the options were made of; empty where
// a value cannot be written in quotes.
std::string written(serve_options& x) {
  std::string result;
  auto values = values_of(x);
  auto table = serve_settings(x);
  for (size_t i = 0; i < table.size(); ++i) {
    if (values[i].find('"') != std::string::npos)
      return {};
    if (!values[i].empty())
      result += table[i].name + " = " + written(values[i]) + '\n';
  }
  return result;
}

void check_settings(std::string_view text, size_t sections) {
  static serve_config places;
  serve_options options;
  if (!read(places, text, options))
    return;
  require(net::check(options.server).empty());
  auto& node = options.server.node;
  require(node.topics.size() + node.action_rules.size() == sections);
  auto anew = written(options);
  serve_options again;
  if (!anew.empty())
    require(read(places, anew, again)
            && values_of(again) == values_of(options));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Errors hold sentences, which are CAF messages.
  static const bool ready = (callboard::init_type_ids(), true);
  if (!ready)
    return 0;
  std::string_view text{reinterpret_cast<const char*>(data), size};
  check_settings(text, check_grammar(text));
  return 0;
}
