#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// A name of our own keeps this copy apart from an application's, which may be
// another version with other settings.
#define RAPIDJSON_NAMESPACE callboard_rapidjson
#define RAPIDJSON_NAMESPACE_BEGIN namespace callboard_rapidjson {
#define RAPIDJSON_NAMESPACE_END }
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <callboard/net/utf8.hpp>

// JSON as tokens and keys have it. Not installed.

namespace callboard::net {

using json_document = callboard_rapidjson::Document;
using json_value = callboard_rapidjson::Value;

/// Parses text as one JSON object, without recursion.
/// @returns false if it is none, or not UTF-8.
inline bool parse_json_object(std::string_view text, json_document& result) {
  namespace rj = callboard_rapidjson;
  // RapidJSON takes a NUL for the end.
  if (text.find('\0') != std::string_view::npos)
    return false;
  result.Parse<rj::kParseIterativeFlag | rj::kParseValidateEncodingFlag>(
    text.data(), text.size());
  return !result.HasParseError() && result.IsObject();
}

/// Returns the text of a JSON string.
inline std::string_view text_of(const json_value& x) {
  return {x.GetString(), x.GetStringLength()};
}

/// Finds members of an object by name. A name that stands there twice is a
/// fault, because others may take the other one.
class json_members {
public:
  explicit json_members(const json_value& object) : object_{object} {
  }

  /// Returns the member, or null; null, too, and a fault, if there are two.
  const json_value* find(std::string_view name) {
    const json_value* result = nullptr;
    for (auto& x : object_.GetObject()) {
      if (text_of(x.name) != name)
        continue;
      if (result != nullptr) {
        faulty_ = true;
        return nullptr;
      }
      result = &x.value;
    }
    return result;
  }

  /// Returns a string that may be missing; empty then. Another type, more than
  /// `bytes_max` bytes, and what is not UTF-8 (from an escape) are a fault.
  std::string_view find_text(std::string_view name, size_t bytes_max) {
    auto* x = find(name);
    if (x == nullptr)
      return {};
    if (x->IsString() && x->GetStringLength() <= bytes_max
        && is_utf8(text_of(*x)))
      return text_of(*x);
    faulty_ = true;
    return {};
  }

  /// Returns whether a member was looked for that is not as it must be.
  [[nodiscard]] bool faulty() const noexcept {
    return faulty_;
  }

private:
  const json_value& object_;
  bool faulty_ = false;
};

} // namespace callboard::net
