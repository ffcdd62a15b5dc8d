#include "settings.hpp"

#include <algorithm>

#include "text_file.hpp"

namespace callboard::cmd {

namespace {

void apply(const setting& x, const std::string& place, std::string_view value) {
  if (auto wrong = x.set(value); !wrong.empty())
    throw CLI::ValidationError{place, wrong};
}

std::string description(const setting& x) {
  auto behind = x.bounds;
  if (!x.standard.empty())
    behind += (behind.empty() ? "default " : "; default ") + x.standard;
  return behind.empty() ? x.help : x.help + "\n(" + behind + ')';
}

} // namespace

settings::settings(std::vector<setting> list) {
  for (auto& x : list)
    list_.push_back({std::move(x)});
}

void settings::add_to(CLI::App& command) {
  for (auto& [what, flag] : list_) {
    auto name = "--" + what.name;
    const auto text = description(what);
    if (what.is_switch())
      flag = command.add_flag(name, text);
    else
      flag = command.add_option(name, text)->type_name(what.takes)->take_last();
  }
}

void settings::apply_lines(const std::vector<config_line>& lines,
                           const std::string& file,
                           std::string_view others) const {
  for (auto& line : lines) {
    auto place = file + ", line " + std::to_string(line.line);
    auto i = std::find_if(list_.begin(), list_.end(),
                          [&](auto& x) { return x.what.name == line.name; });
    if (i == list_.end())
      throw CLI::ValidationError{place, "there is no setting '" + line.name
                                          + "'; " + std::string{others}};
    apply(i->what, place + ", " + line.name, line.value);
  }
}

std::vector<config_section>
settings::apply_config(std::string_view text, const std::string& file) const {
  config x;
  if (auto wrong = parse_config(text, x); !wrong.empty())
    throw CLI::ValidationError{file, wrong};
  apply_lines(x.lines, file, "`callboard serve --help` lists all");
  return std::move(x.sections);
}

std::vector<config_section>
settings::apply_config_file(const std::string& file) const {
  auto text = read_file(file);
  if (!text)
    throw CLI::ValidationError{file, "cannot be read"};
  return apply_config(*text, file);
}

void settings::apply_environment(const environment& lookup) const {
  for (auto& [what, flag] : list_) {
    auto name = environment_name(what.name);
    if (auto value = lookup(name); value != nullptr && *value != '\0')
      apply(what, name, value);
  }
}

void settings::apply_flags() const {
  for (auto& [what, flag] : list_)
    if (flag != nullptr && flag->count() > 0)
      apply(what, "--" + what.name, flag->results().back());
}

} // namespace callboard::cmd
