#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include <callboard/messages/byte_buffer.hpp>
#include <callboard/messages/detail/json_parser.hpp>
#include <callboard/messages/frame.hpp>

namespace callboard::detail {

/// Takes the tokens of one JSON frame and fills a `frame_view`. A value of the
/// wrong type is noted and parsing goes on, because the seqId for the answer
/// may be behind it.
class json_frame {
public:
  /// @param scratch gets unescaped texts that `out` refers to.
  json_frame(std::string_view line, frame_view& out, byte_buffer& scratch)
    : line_{line}, out_{out}, scratch_{scratch}, parser_{line, *this} {
    scratch_.clear();
  }

  /// Parses the line.
  /// @returns nullptr, or a literal that says what is wrong.
  const char* run(callboard_rapidjson::Reader& memory);

  /// Returns whether the frame's type is one that we know.
  [[nodiscard]] bool known_type() const noexcept {
    return known_type_;
  }

  bool on_null() {
    return on_value({kind::null, false, {}});
  }

  bool on_bool(bool x) {
    return on_value({kind::boolean, x, {}});
  }

  bool on_number(std::string_view text) {
    return on_value({kind::number, false, text});
  }

  bool on_string(std::string_view text) {
    return on_value({kind::string, false, text});
  }

  bool on_key(std::string_view name);

  bool on_begin(bool is_object);

  bool on_end(bool is_object, size_t size);

private:
  enum class kind : uint8_t { null, boolean, number, string, container };

  struct token {
    kind type;
    bool flag;
    std::string_view text;
  };

  // Where in the frame a bracket stands.
  enum class place : uint8_t { outside, frame, meta, since, payload, ignored };

  enum class field : uint8_t {
    unknown,
    type,
    seq_id,
    timestamp,
    subject,
    payload,
    meta,
  };

  // Only the first levels are looked into.
  static constexpr size_t places_max = 4;

  static field field_from(std::string_view name) noexcept;

  [[nodiscard]] place here() const noexcept {
    return depth_ < places_.size() ? places_[depth_] : place::ignored;
  }

  [[nodiscard]] place inside(bool is_object);

  bool on_value(const token& x);

  void set_field(const token& x);

  void set_meta(const token& x);

  void set_since(const token& x);

  bool set_text(const token& x, std::string_view& text);

  void end_payload(const char* end) noexcept;

  // Returns `text` as a view into the line or into the scratch memory.
  std::string_view keep(std::string_view text);

  void need(bool ok, const char* reason) noexcept {
    if (!ok && reason_ == nullptr)
      reason_ = reason;
  }

  std::string_view line_;
  frame_view& out_;
  byte_buffer& scratch_;
  json_parser<json_frame> parser_;
  const char* reason_ = nullptr;
  size_t depth_ = 0;
  std::array<place, places_max + 1> places_{};
  field field_ = field::unknown;
  uint32_t seen_ = 0;
  bool has_type_ = false;
  bool known_type_ = false;
  std::optional<meta_key> meta_key_;
  // 1: epoch, 2: offset.
  uint8_t since_key_ = 0;
  uint8_t since_seen_ = 0;
  bool action_is_next_ = false;
  std::string_view action_;
  const char* payload_begin_ = nullptr;
};

} // namespace callboard::detail
