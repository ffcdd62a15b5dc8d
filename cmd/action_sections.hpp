#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <callboard/actors/action_options.hpp>

#include "config_file.hpp"
#include "setting.hpp"

namespace callboard::cmd {

/// Most sections for actions that a config file may have.
inline constexpr size_t action_sections_max = 1000;

/// Returns the table of what an `[action PATTERN]` section of a config file may
/// set.
std::vector<setting> action_settings(action_options& x);

/// Makes a rule of each section for actions, in their order. What is wrong is
/// thrown as CLI11's `ValidationError`, which names the file and the line.
/// @param file its name, for messages.
std::vector<action_rule>
action_rules(const std::vector<config_section>& sections,
             const std::string& file);

} // namespace callboard::cmd
