#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <callboard/actors/topic_options.hpp>

#include "config_file.hpp"
#include "setting.hpp"

namespace callboard::cmd {

/// Most sections for topics that a config file may have.
inline constexpr size_t topic_sections_max = 10'000;

/// Returns the table of what a `[topic PATTERN]` section of a config file may
/// set.
std::vector<setting> topic_settings(topic_options& x);

/// Checks that no section wants what needs a store, where there is none.
/// @param file its name, for messages.
/// @returns empty, or what is wrong.
std::string check_durability(const std::vector<config_section>& sections,
                             const std::string& file);

/// Makes a rule of each section for topics, in their order. What is wrong is
/// thrown as CLI11's `ValidationError`, which names the file and the line.
/// @param file its name, for messages.
std::vector<topic_rule> topic_rules(const std::vector<config_section>& sections,
                                    const std::string& file);

} // namespace callboard::cmd
