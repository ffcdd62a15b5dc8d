#pragma once

#include <string>
#include <string_view>

#include <callboard/messages/frame.hpp>

namespace callboard::cmd {

/// Appends `text` as a JSON string, quotes included; what is not UTF-8 becomes
/// U+FFFD.
void append_json(std::string& out, std::string_view text);

/// Appends a payload as JSON on one line; `null` for none.
void append_json(std::string& out, payload_view x);

} // namespace callboard::cmd
