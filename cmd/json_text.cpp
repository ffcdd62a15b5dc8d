#include "json_text.hpp"

#include <callboard/messages/byte_buffer.hpp>
#include <callboard/messages/frame_writer.hpp>
#include <callboard/net/utf8.hpp>

namespace callboard::cmd {

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";

void append_escaped(std::string& out, char c) {
  constexpr char digits[] = "0123456789abcdef";
  switch (c) {
    case '"':
    case '\\':
      out += '\\';
      out += c;
      break;
    case '\n':
      out += "\\n";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      if (static_cast<unsigned char>(c) < 0x20) {
        out += "\\u00";
        out += digits[c >> 4];
        out += digits[c & 15];
      } else {
        out += c;
      }
  }
}

// Returns the length of the UTF-8 character that `text` begins with; 0: none.
size_t character_size(std::string_view text) {
  for (size_t n = 1; n <= 4 && n <= text.size(); ++n)
    if (net::is_utf8(text.substr(0, n)))
      return n;
  return 0;
}

} // namespace

void append_json(std::string& out, std::string_view text) {
  out += '"';
  if (net::is_utf8(text)) {
    for (auto c : text)
      append_escaped(out, c);
  } else {
    while (!text.empty()) {
      auto n = character_size(text);
      if (n == 0)
        out += replacement;
      for (auto c : text.substr(0, n))
        append_escaped(out, c);
      text.remove_prefix(n == 0 ? 1 : n);
    }
  }
  out += '"';
}

void append_json(std::string& out, payload_view x) {
  byte_buffer json;
  if (transcode(codec::json, x, json))
    out += json.view();
  else
    out += "null";
}

} // namespace callboard::cmd
