#include <array>
#include <cstring>
#include <tuple>

#include <callboard/messages/detail/base64.hpp>
#include <callboard/messages/detail/json_parser.hpp>
#include <callboard/messages/detail/msgpack_out.hpp>
#include <callboard/messages/detail/transcode.hpp>

namespace callboard::detail {

namespace {

// Writes the value of a special form, whose own bytes are `[at, end)` of
// `out`, in place of them. What a form stands for is never longer than the
// form, and no part of it moves backward.
class special_form {
public:
  special_form(byte_buffer& out, size_t at) noexcept
    : out_{out}, at_{out.data() + at}, in_{out.view().substr(at)} {
  }

  void replace() noexcept {
    uint32_t size = 0;
    std::string_view key;
    in_.read_map(size);
    in_.read_str(key);
    std::string_view value{in_.pos(), in_.left()};
    if (!is_special_form(key, value))
      return;
    auto end = key == "$bin" ? bin() : key == "$ext" ? ext() : map();
    out_.truncate(static_cast<size_t>(end - out_.data()));
  }

private:
  char* bin() noexcept {
    std::string_view text;
    in_.read_str(text);
    return decode_base64(put_bin_head(at_, base64_decoded_size(text)), text);
  }

  char* ext() noexcept {
    uint32_t size = 0;
    int64_t type = 0;
    std::string_view text;
    in_.read_array(size);
    in_.read_int(type);
    in_.read_str(text);
    return decode_base64(put_ext_head(at_, static_cast<int8_t>(type),
                                      base64_decoded_size(text)),
                         text);
  }

  char* map() noexcept {
    uint32_t size = 0;
    uint32_t pair = 0;
    in_.read_array(size);
    auto p = put_map_head(at_, size);
    for (uint32_t i = 0; i < size; ++i) {
      in_.read_array(pair);
      auto begin = in_.pos();
      in_.skip(json_depth_max);
      in_.skip(json_depth_max);
      auto length = static_cast<size_t>(in_.pos() - begin);
      std::memmove(p, begin, length);
      p += length;
    }
    return p;
  }

  byte_buffer& out_;
  char* at_;
  msgpack_in in_;
};

class encoder {
public:
  explicit encoder(byte_buffer& out) noexcept : out_{out} {
  }

  bool on_null() {
    return put(put_nil(room()));
  }

  bool on_bool(bool x) {
    return put(put_bool(room(), x));
  }

  bool on_number(std::string_view text) {
    auto end = text.data() + text.size();
    auto whole = [&](auto& x) {
      auto [ptr, code] = std::from_chars(text.data(), end, x);
      return code == std::errc{} && ptr == end;
    };
    uint64_t positive = 0;
    int64_t negative = 0;
    double real = 0;
    if (whole(positive))
      return put(put_uint(room(), positive));
    if (whole(negative))
      return put(put_int(room(), negative));
    return to_double(text, real) && put(put_double(room(), real));
  }

  bool on_string(std::string_view text) {
    return put(put_str_head(room(), text.size())) && (out_.append(text), true);
  }

  bool on_key(std::string_view text) {
    return on_string(text);
  }

  bool on_begin(bool) {
    begins_[depth_++] = out_.size();
    // The head of a short one; a longer head makes room when it is known.
    out_.push_back(0);
    return true;
  }

  bool on_end(bool is_object, size_t size) {
    auto at = begins_[--depth_];
    char head[msgpack_item_max];
    auto end = is_object ? put_map_head(head, size)
                         : put_array_head(head, size);
    auto head_size = static_cast<size_t>(end - head);
    if (auto more = head_size - 1; more > 0) {
      std::ignore = out_.reserve_back(more);
      auto content = out_.data() + at + 1;
      std::memmove(content + more, content, out_.size() - at - 1);
      out_.commit(more);
    }
    std::memcpy(out_.data() + at, head, head_size);
    if (is_object && size == 1)
      special_form{out_, at}.replace();
    return true;
  }

private:
  char* room() {
    return out_.reserve_back(msgpack_item_max);
  }

  bool put(const char* end) noexcept {
    out_.commit(static_cast<size_t>(end - out_.data()) - out_.size());
    return true;
  }

  byte_buffer& out_;
  size_t depth_ = 0;
  std::array<size_t, json_depth_max + 1> begins_;
};

// Only counts the levels.
struct checker {
  bool on_null() {
    return true;
  }

  bool on_bool(bool) {
    return true;
  }

  bool on_number(std::string_view) {
    return true;
  }

  bool on_string(std::string_view) {
    return true;
  }

  bool on_key(std::string_view) {
    return true;
  }

  bool on_begin(bool) {
    return true;
  }

  bool on_end(bool, size_t) {
    return true;
  }
};

} // namespace

bool json_to_msgpack(std::string_view text, byte_buffer& out) {
  auto begin = out.size();
  json_parser<encoder>::reader memory;
  encoder handler{out};
  json_parser<encoder> parser{text, handler};
  auto ok = parser.run(memory) == nullptr;
  // Special forms have fewer levels as values than as text.
  if (ok && parser.depth_seen() > payload_depth_max)
    ok = is_msgpack(out.view().substr(begin));
  if (!ok)
    out.truncate(begin);
  return ok;
}

bool is_json(std::string_view text) {
  json_parser<checker>::reader memory;
  checker handler;
  json_parser<checker> parser{text, handler};
  if (parser.run(memory) != nullptr)
    return false;
  byte_buffer converted;
  return parser.depth_seen() <= payload_depth_max
         || json_to_msgpack(text, converted);
}

} // namespace callboard::detail
