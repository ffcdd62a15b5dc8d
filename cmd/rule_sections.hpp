#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config_file.hpp"
#include "setting.hpp"

namespace callboard::cmd {

/// What the sections of one kind have to keep to.
struct section_bounds {
  section_kind kind = section_kind::topic;
  /// How many there may be.
  size_t sections_max = 0;
  /// Returns what is wrong with a pattern; empty: nothing.
  std::string_view (*check_pattern)(std::string_view) = nullptr;
};

/// Calls `f` for each section of a kind, in their order, when its header is
/// well: a good pattern that no other section of the kind has. What is wrong is
/// thrown as CLI11's `ValidationError`, which names the file and the line.
/// @param file its name, for messages.
void for_each_section(const std::vector<config_section>& sections,
                      const section_bounds& bounds, const std::string& file,
                      const std::function<void(const config_section&)>& f);

/// Applies a section's lines; what is wrong is thrown in the same way.
/// @param table what a section of its kind may set.
void apply_section(const config_section& x, std::vector<setting> table,
                   const std::string& file);

/// Throws that something is wrong with a section as a whole.
[[noreturn]] void refuse_section(const config_section& x,
                                 const std::string& file,
                                 const std::string& what);

} // namespace callboard::cmd
