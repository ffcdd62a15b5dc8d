// The HTTP side of a connection: any bytes, cut anywhere, give well-formed
// answers, and the same ones however they are cut.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <callboard/messages/errc.hpp>
#include <callboard/net/http_reader.hpp>
#include <callboard/net/http_reply.hpp>
#include <callboard/net/http_router.hpp>

#include "support/fake_http_front.hpp"

using namespace callboard;
using namespace callboard::net;

namespace {

void require(bool condition) {
  if (!condition)
    std::abort();
}

/// A server whose every option is on, for an input's first byte to take some
/// away.
class front : public fake_http_front {
public:
  explicit front(uint8_t switches) {
    what.compression = (switches & 1) == 0;
    what.echo_path = (switches & 2) == 0 ? "/echo" : "";
    what.metrics = (switches & 4) == 0;
    is_ready = (switches & 8) == 0;
    is_joining = (switches & 64) != 0;
    places = (switches & 16) == 0 ? 1 : 0;
    if ((switches & 32) == 0)
      what.rights.authenticate
        = [](const credentials& x) -> caf::expected<identity> {
        require(!x.token.empty());
        if (x.token.size() % 2 == 0)
          return caf::make_error(errc::token_expired);
        return identity{x.token};
      };
  }
};

/// Checks the lines of a head and returns the value of Content-Length, 0 if
/// there is none.
size_t check_head(std::string_view head, unsigned status) {
  require(head.starts_with("HTTP/1.1 " + std::to_string(status) + ' '));
  require(head.ends_with("\r\n\r\n"));
  require(!http_reason(status).empty());
  head.remove_suffix(2);
  size_t length = 0;
  for (auto first = true; !head.empty(); first = false) {
    auto end = head.find("\r\n");
    require(end != 0 && end != std::string_view::npos);
    auto line = head.substr(0, end);
    head.remove_prefix(end + 2);
    for (auto c : line)
      require(c >= ' ' && c < '\x7f');
    require(first || line.find(": ") != std::string_view::npos);
    constexpr std::string_view name = "Content-Length: ";
    if (line.starts_with(name))
      length = std::strtoul(line.data() + name.size(), nullptr, 10);
  }
  return length;
}

void check(const http_reply& reply, bool to_head, const front& server) {
  auto length = check_head(reply.head, reply.status);
  auto body = reply.body();
  require(body.size() == length || (to_head && body.empty()));
  require((reply.status == 101) == reply.upgrade.has_value());
  if (reply.upgrade) {
    require(server.is_ready && !server.is_joining && !reply.close);
    require(reply.upgrade->echo || !reply.upgrade->who.user.empty()
            || !reply.upgrade->authenticated);
  }
  if (reply.status < 400)
    return;
  require(reply.close);
  if (to_head)
    return;
  require(body.starts_with("{\"error\": \"") && body.ends_with("\"}\n"));
  // Exactly the quotes of two names and two values: nothing breaks out.
  size_t quotes = 0;
  for (auto c : body.substr(0, body.size() - 1)) {
    require(c >= ' ' && c < '\x7f' && c != '\\');
    quotes += c == '"' ? 1 : 0;
  }
  require(quotes == 8);
}

/// Serves the bytes as one connection, `step` at a time.
/// @returns the answers, and what is left for a WebSocket.
std::string serve(std::string_view bytes, size_t step, uint8_t switches) {
  front server{switches};
  http_reader reader;
  std::string result;
  while (!bytes.empty()) {
    auto piece = bytes.substr(0, step);
    bytes.remove_prefix(piece.size());
    reader.append(piece);
    for (;;) {
      auto taken = reader.take();
      http_reply reply;
      auto to_head = false;
      if (auto* request = std::get_if<http_request>(&taken)) {
        to_head = request->method == "HEAD";
        reply = answer(*request, server, {"192.0.2.7"});
      } else if (auto* refusal = std::get_if<http_refusal>(&taken)) {
        reply = to_reply(*refusal);
        require(reader.empty());
      } else {
        break;
      }
      check(reply, to_head, server);
      result += reply.head;
      result += reply.body();
      if (reply.close)
        return result;
      if (reply.upgrade)
        return result + reader.take_rest() + std::string{bytes};
    }
  }
  return result;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0)
    return 0;
  std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  auto whole = serve(bytes, bytes.size(), data[0]);
  require(whole == serve(bytes, 7, data[0]));
  require(whole == serve(bytes, 1, data[0]));
  return 0;
}
