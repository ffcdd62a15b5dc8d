#include "rule_sections.hpp"

#include <unordered_map>
#include <utility>

#include "settings.hpp"

namespace callboard::cmd {

namespace {

std::string name_of(const config_section& x) {
  return std::string{to_string(x.kind)} + " '" + x.pattern + '\'';
}

// Says what a section may set.
std::string names_of(section_kind kind, const std::vector<setting>& table) {
  std::string result;
  for (auto& x : table) {
    if (result.empty())
      result = (kind == section_kind::action ? "an " : "a ")
               + std::string{to_string(kind)} + " section takes ";
    else
      result += ", ";
    result += x.name;
  }
  return result;
}

[[noreturn]] void fail(const config_section& x, const std::string& file,
                       const std::string& what) {
  throw CLI::ValidationError{file + ", line " + std::to_string(x.line), what};
}

} // namespace

void for_each_section(const std::vector<config_section>& sections,
                      const section_bounds& bounds, const std::string& file,
                      const std::function<void(const config_section&)>& f) {
  std::unordered_map<std::string_view, size_t> lines;
  for (auto& section : sections) {
    if (section.kind != bounds.kind)
      continue;
    if (lines.size() == bounds.sections_max)
      fail(section, file,
           "there are more than " + std::to_string(bounds.sections_max) + ' '
             + std::string{to_string(bounds.kind)} + " sections");
    if (auto wrong = bounds.check_pattern(section.pattern); !wrong.empty())
      refuse_section(section, file, std::string{wrong});
    auto [first, is_new] = lines.emplace(section.pattern, section.line);
    if (!is_new)
      fail(section, file,
           name_of(section) + " has a section already, in line "
             + std::to_string(first->second));
    f(section);
  }
}

void apply_section(const config_section& x, std::vector<setting> table,
                   const std::string& file) {
  auto others = names_of(x.kind, table);
  settings{std::move(table)}.apply_lines(x.lines, file, others);
}

void refuse_section(const config_section& x, const std::string& file,
                    const std::string& what) {
  fail(x, file, name_of(x) + ": " + what);
}

} // namespace callboard::cmd
