#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <string_view>

// A name of our own keeps this copy apart from an application's, which may be
// another version with other settings.
#define RAPIDJSON_NAMESPACE callboard_rapidjson
#define RAPIDJSON_NAMESPACE_BEGIN namespace callboard_rapidjson {
#define RAPIDJSON_NAMESPACE_END }
#include <rapidjson/reader.h>

#include <callboard/messages/detail/utf8.hpp>

namespace callboard::detail {

/// Deepest nesting of raw JSON text. A MessagePack value of 64 levels becomes
/// at most three levels each (`$map`) and two more (`$ext`).
inline constexpr size_t json_depth_max = 3 * 64 + 2;

/// What RapidJSON calls a stream: a cursor over one line.
class json_cursor {
public:
  using Ch = char;

  explicit json_cursor(std::string_view text) noexcept
    : begin_{text.data()}, pos_{text.data()}, end_{text.data() + text.size()} {
  }

  [[nodiscard]] Ch Peek() const noexcept {
    return pos_ != end_ ? *pos_ : '\0';
  }

  Ch Take() noexcept {
    return pos_ != end_ ? *pos_++ : '\0';
  }

  [[nodiscard]] size_t Tell() const noexcept {
    return static_cast<size_t>(pos_ - begin_);
  }

  // For writing in place, which we never ask for.
  Ch* PutBegin() noexcept {
    return nullptr;
  }

  void Put(Ch) noexcept {
  }

  void Flush() noexcept {
  }

  size_t PutEnd(Ch*) noexcept {
    return 0;
  }

  [[nodiscard]] const char* pos() const noexcept {
    return pos_;
  }

  [[nodiscard]] bool at_end() const noexcept {
    return pos_ == end_;
  }

private:
  const char* begin_;
  const char* pos_;
  const char* end_;
};

/// Parses a line as one JSON value (RFC 8259) without recursion and hands its
/// tokens to a handler, after the checks that RapidJSON leaves out: UTF-8,
/// lone surrogates in escapes, numbers beyond the range of a double, depth.
///
/// The handler has `bool on_null()`, `on_bool(bool)`, `on_number(text)`,
/// `on_string(text)`, `on_key(text)`, `on_begin(bool is_object)` and
/// `on_end(bool is_object, size_t size)`; false ends the parsing. Texts are
/// unescaped and valid during the call.
template <class Handler>
class json_parser {
public:
  using reader = callboard_rapidjson::Reader;

  json_parser(std::string_view line, Handler& handler) noexcept
    : line_{line}, cursor_{line}, handler_{handler} {
  }

  /// @param memory keeps its memory from one call to the next.
  /// @returns nullptr, or a literal that says what is wrong.
  const char* run(reader& memory) {
    namespace rj = callboard_rapidjson;
    constexpr auto flags = rj::kParseIterativeFlag
                           | rj::kParseNumbersAsStringsFlag;
    if (!is_utf8(line_))
      return "the text is not UTF-8";
    auto ok = !memory.Parse<flags>(cursor_, *this).IsError();
    // A NUL looks like the end to RapidJSON.
    if (ok && cursor_.at_end())
      return nullptr;
    return reason_ != nullptr ? reason_ : "the text is not JSON";
  }

  /// Returns the position behind the last token; for `on_begin` and `on_end`
  /// that of the bracket.
  [[nodiscard]] const char* pos() const noexcept {
    return cursor_.pos();
  }

  /// Returns how many brackets were open at most.
  [[nodiscard]] size_t depth_seen() const noexcept {
    return depth_seen_;
  }

  // -- what RapidJSON calls ---------------------------------------------------

  bool Null() {
    return handler_.on_null();
  }

  bool Bool(bool x) {
    return handler_.on_bool(x);
  }

  bool RawNumber(const char* text, unsigned size, bool) {
    return check_number({text, size}) && handler_.on_number({text, size});
  }

  bool String(const char* text, unsigned size, bool) {
    return check_text({text, size}) && handler_.on_string({text, size});
  }

  bool Key(const char* text, unsigned size, bool) {
    return check_text({text, size}) && handler_.on_key({text, size});
  }

  bool StartObject() {
    return enter() && handler_.on_begin(true);
  }

  bool EndObject(unsigned size) {
    --depth_;
    return handler_.on_end(true, size);
  }

  bool StartArray() {
    return enter() && handler_.on_begin(false);
  }

  bool EndArray(unsigned size) {
    --depth_;
    return handler_.on_end(false, size);
  }

  // Numbers come as text.
  bool Int(int) {
    return false;
  }

  bool Uint(unsigned) {
    return false;
  }

  bool Int64(int64_t) {
    return false;
  }

  bool Uint64(uint64_t) {
    return false;
  }

  bool Double(double) {
    return false;
  }

private:
  bool fail(const char* reason) noexcept {
    reason_ = reason;
    return false;
  }

  bool enter() noexcept {
    // One more for a frame around a payload.
    if (depth_ == json_depth_max + 1)
      return fail("the text nests too deeply");
    depth_seen_ = std::max(depth_seen_, ++depth_);
    return true;
  }

  // A lone low surrogate passes RapidJSON, as bytes that are not UTF-8. The
  // line itself is UTF-8, so only an escape can bring one in.
  bool check_text(std::string_view text) noexcept {
    // Unescaping never makes a text longer.
    auto raw = cursor_.pos() - 1 - text.size();
    return std::memcmp(raw, text.data(), text.size()) == 0 || is_utf8(text)
           || fail("an escape is a lone surrogate");
  }

  bool check_number(std::string_view text) noexcept;

  std::string_view line_;
  json_cursor cursor_;
  Handler& handler_;
  const char* reason_ = nullptr;
  size_t depth_ = 0;
  size_t depth_seen_ = 0;
};

/// Reads the text of a JSON number as a double.
/// @returns false if it is beyond the range of a double; what is too small
///          becomes zero.
inline bool to_double(std::string_view text, double& x) noexcept {
  auto end = text.data() + text.size();
  auto code = std::from_chars(text.data(), end, x).ec;
  if (code == std::errc{})
    return x - x == 0;
  // RapidJSON has refused large digits with a negative exponent.
  auto e = text.find_first_of("eE");
  if (e != std::string_view::npos && text[e + 1] != '-')
    return false;
  x = text.front() == '-' ? -0.0 : 0.0;
  return true;
}

template <class Handler>
bool json_parser<Handler>::check_number(std::string_view text) noexcept {
  // Only these can be too large; nearly no number needs the conversion.
  if (text.size() < 300 && text.find_first_of("eE") == std::string_view::npos)
    return true;
  double x = 0;
  return to_double(text, x) || fail("a number is out of range");
}

} // namespace callboard::detail
