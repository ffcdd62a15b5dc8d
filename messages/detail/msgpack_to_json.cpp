#include <callboard/messages/detail/base64.hpp>
#include <callboard/messages/detail/json_out.hpp>
#include <callboard/messages/detail/msgpack_in.hpp>
#include <callboard/messages/detail/transcode.hpp>
#include <callboard/messages/detail/utf8.hpp>

namespace callboard::detail {

namespace {

// Converts a value that was checked before, so that no read can fail and the
// recursion is no deeper than `payload_depth_max`.
class converter {
public:
  converter(std::string_view value, byte_buffer& out) noexcept
    : in_{value}, out_{out} {
  }

  void value() {
    auto head = in_.head();
    if (head < mp_fixmap || head >= mp_negative_fixint
        || (head >= mp_uint8 && head <= mp_int64))
      integer();
    else if (head < mp_fixarray || head >= mp_map16)
      map();
    else if (head < mp_fixstr || head >= mp_array16)
      array();
    else if (head < mp_nil || head >= mp_str8)
      string();
    else if (head == mp_nil)
      nil();
    else if (head <= mp_true)
      boolean();
    else if (head <= mp_bin32)
      binary();
    else if (head == mp_float32 || head == mp_float64)
      real();
    else
      extension();
  }

private:
  void nil() {
    in_.read_nil();
    out_.append("null");
  }

  void boolean() {
    auto x = false;
    in_.read_bool(x);
    out_.append(x ? "true" : "false");
  }

  void integer() {
    uint64_t positive = 0;
    int64_t negative = 0;
    if (in_.read_uint(positive)) {
      write_json_integer(positive, out_);
    } else {
      in_.read_int(negative);
      write_json_integer(negative, out_);
    }
  }

  void real() {
    double x = 0;
    in_.read_float(x);
    write_json_double(x, out_);
  }

  void string() {
    std::string_view x;
    in_.read_str(x);
    if (is_utf8(x))
      write_json_string(x, out_);
    else
      bin(x);
  }

  void binary() {
    std::string_view x;
    in_.read_bin(x);
    bin(x);
  }

  void bin(std::string_view x) {
    out_.append(R"({"$bin":)");
    write_json_base64(x, out_);
    out_.push_back('}');
  }

  void extension() {
    int8_t type = 0;
    std::string_view x;
    in_.read_ext(type, x);
    out_.append(R"({"$ext":[)");
    write_json_integer(int{type}, out_);
    out_.push_back(',');
    write_json_base64(x, out_);
    out_.append("]}");
  }

  void array() {
    uint32_t size = 0;
    in_.read_array(size);
    out_.push_back('[');
    for (uint32_t i = 0; i < size; ++i) {
      if (i > 0)
        out_.push_back(',');
      value();
    }
    out_.push_back(']');
  }

  void map() {
    uint32_t size = 0;
    in_.read_map(size);
    if (fits_object(size))
      object(size);
    else
      pairs(size);
  }

  void object(uint32_t size) {
    out_.push_back('{');
    for (uint32_t i = 0; i < size; ++i) {
      if (i > 0)
        out_.push_back(',');
      value();
      out_.push_back(':');
      value();
    }
    out_.push_back('}');
  }

  void pairs(uint32_t size) {
    out_.append(R"({"$map":[)");
    for (uint32_t i = 0; i < size; ++i) {
      out_.append(i > 0 ? ",[" : "[");
      value();
      out_.push_back(',');
      value();
      out_.push_back(']');
    }
    out_.append("]}");
  }

  // Whether the next `size` pairs can be an object: all keys are text, and it
  // does not look like one of the special forms.
  [[nodiscard]] bool fits_object(uint32_t size) const noexcept {
    auto ahead = in_;
    std::string_view key;
    for (uint32_t i = 0; i < size; ++i) {
      if (!ahead.read_str(key) || !is_utf8(key))
        return false;
      auto begin = ahead.pos();
      ahead.skip();
      if (size == 1)
        return !is_special_form(
          key, {begin, static_cast<size_t>(ahead.pos() - begin)});
    }
    return true;
  }

  msgpack_in in_;
  byte_buffer& out_;
};

} // namespace

void msgpack_to_json(std::string_view value, byte_buffer& out) {
  converter{value, out}.value();
}

bool is_msgpack(std::string_view value) noexcept {
  msgpack_in in{value};
  return in.skip() == nullptr && in.left() == 0;
}

bool is_special_form(std::string_view key, std::string_view value) noexcept {
  msgpack_in in{value};
  std::string_view text;
  uint32_t size = 0;
  if (key == "$bin")
    return in.read_str(text) && is_base64(text);
  if (key == "$ext") {
    int64_t type = 0;
    return in.read_array(size) && size == 2 && in.read_int(type)
           && type >= INT8_MIN && type <= INT8_MAX && in.read_str(text)
           && is_base64(text);
  }
  if (key == "$map") {
    if (!in.read_array(size))
      return false;
    for (uint32_t i = 0; i < size; ++i) {
      uint32_t pair = 0;
      if (!in.read_array(pair) || pair != 2)
        return false;
      in.skip(256);
      in.skip(256);
    }
    return true;
  }
  return false;
}

} // namespace callboard::detail
