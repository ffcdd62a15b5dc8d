#include <callboard/net/http_reader.hpp>

#include <cstdint>
#include <limits>
#include <utility>

#include <callboard/net/boost/beast.hpp>
#include <callboard/net/http_list.hpp>

namespace callboard::net {

namespace {

/// Hands what Beast's parser finds to an `http_request`. Stops at the end of
/// the head, so nothing of a body ever comes.
class head_parser final : public http::basic_parser<true> {
public:
  explicit head_parser(http_request& request) : request_{request} {
    header_limit(2 * http_head_bytes_max);
    body_limit(std::numeric_limits<uint64_t>::max());
  }

  [[nodiscard]] size_t hosts() const noexcept {
    return hosts_;
  }

  [[nodiscard]] bool has_transfer_encoding() const noexcept {
    return has_transfer_encoding_;
  }

private:
  using view = beast::string_view;

  void on_request_impl(http::verb, view method, view target, int version,
                       error_code&) override {
    request_.method.assign(method.data(), method.size());
    request_.target.assign(target.data(), target.size());
    request_.http_1_0 = version == 10;
  }

  void on_field_impl(http::field name, view text, view value,
                     error_code&) override {
    switch (name) {
      case http::field::host:
        ++hosts_;
        request_.host.assign(value.data(), value.size());
        break;
      case http::field::cookie:
        // One that came in several fields is one list (RFC 7540, 8.1.2.5).
        if (!request_.cookie.empty())
          request_.cookie += "; ";
        request_.cookie.append(value.data(), value.size());
        break;
      case http::field::transfer_encoding:
        has_transfer_encoding_ = true;
        break;
      case http::field::expect:
        // HTTP/1.0 knows none (RFC 9110, 10.1.1).
        request_.expects_continue
          = !request_.http_1_0
            && equal_ignoring_case({value.data(), value.size()},
                                   "100-continue");
        break;
      case http::field::unknown:
        if (equal_ignoring_case({text.data(), text.size()}, "x-forwarded-for"))
          join(request_.forwarded_for, value);
        break;
      default:
        if (auto* known = find(name))
          join(*known, value);
    }
  }

  std::string* find(http::field name) noexcept {
    switch (name) {
      case http::field::origin:
        return &request_.origin;
      case http::field::authorization:
        return &request_.authorization;
      case http::field::if_none_match:
        return &request_.if_none_match;
      case http::field::content_type:
        return &request_.content_type;
      case http::field::upgrade:
        return &request_.upgrade;
      case http::field::connection:
        return &request_.connection;
      case http::field::sec_websocket_version:
        return &request_.ws_version;
      case http::field::sec_websocket_key:
        return &request_.ws_key;
      case http::field::sec_websocket_protocol:
        return &request_.ws_subprotocols;
      case http::field::sec_websocket_extensions:
        return &request_.ws_extensions;
      default:
        return nullptr;
    }
  }

  static void join(std::string& list, view value) {
    if (!list.empty())
      list += ", ";
    list.append(value.data(), value.size());
  }

  void on_response_impl(int, view, int, error_code&) override {
  }

  void on_header_impl(error_code&) override {
  }

  void on_body_init_impl(const boost::optional<uint64_t>&,
                         error_code&) override {
  }

  size_t on_body_impl(view bytes, error_code&) override {
    return bytes.size();
  }

  void on_chunk_header_impl(uint64_t, view, error_code&) override {
  }

  size_t on_chunk_body_impl(uint64_t, view bytes, error_code&) override {
    return bytes.size();
  }

  void on_finish_impl(error_code&) override {
  }

  http_request& request_;
  size_t hosts_ = 0;
  bool has_transfer_encoding_ = false;
};

/// Returns whether a request can begin with `c`. Tells at once what would else
/// wait for its deadline: most notably a client that speaks TLS.
constexpr bool may_begin_request(char c) noexcept {
  return (c > ' ' && c < '\x7f') || c == '\r' || c == '\n';
}

/// Returns whether a request line ends like one of another version of HTTP.
bool names_other_version(std::string_view line) noexcept {
  constexpr std::string_view name = "HTTP/";
  auto last = line.substr(line.rfind(' ') + 1);
  return last.size() > name.size() && last.starts_with(name)
         && last[name.size()] >= '0' && last[name.size()] <= '9'
         && last != "HTTP/1.0" && last != "HTTP/1.1";
}

} // namespace

ws_request http_request::ws() const noexcept {
  return {upgrade, connection,      ws_version,
          ws_key,  ws_subprotocols, ws_extensions};
}

void http_reader::append(std::string_view bytes) {
  bytes_ += bytes;
}

http_reader::result http_reader::take() {
  for (;;) {
    if (lines_ == 0 && !bytes_.empty() && !may_begin_request(bytes_.front()))
      return refuse(400, "bad_request", "This is not HTTP.");
    auto end = bytes_.find('\n', scanned_);
    auto size = end == std::string::npos ? bytes_.size() : end + 1;
    if (lines_ == 0 && size > http_line_bytes_max)
      return refuse(414, "target_too_long",
                    "A request line may have 8 KiB at most.");
    if (size > http_head_bytes_max)
      return refuse(431, "headers_too_large",
                    "A request's head may have 16 KiB at most.");
    scanned_ = size;
    if (end == std::string::npos)
      return {};
    if (end == line_ || bytes_[end - 1] != '\r')
      return refuse(400, "bad_request", "Lines must end with CR LF.");
    auto blank = end == line_ + 1;
    line_ = size;
    if (!blank && ++lines_ > http_fields_max + 1)
      return refuse(431, "headers_too_large",
                    "A request may have 100 header fields at most.");
    if (blank && lines_ > 0)
      return parse(size);
    if (blank) // in front of a request line (RFC 7230, 3.5)
      drop(size);
  }
}

std::optional<std::string> http_reader::take_body(uint64_t size) {
  if (bytes_.size() < size)
    return std::nullopt;
  auto result = bytes_.substr(0, size);
  drop(size);
  return result;
}

std::string http_reader::take_rest() noexcept {
  auto rest = std::exchange(bytes_, {});
  drop(0);
  return rest;
}

http_reader::result http_reader::parse(size_t size) {
  http_request request;
  head_parser parser{request};
  error_code ec;
  parser.put(asio::buffer(bytes_.data(), size), ec);
  if (ec == http::error::bad_version
      && names_other_version(
        std::string_view{bytes_}.substr(0, bytes_.find('\r'))))
    return refuse(505, "unsupported_http_version", "HTTP/1.1 is spoken here.");
  if (ec || !parser.is_header_done())
    return refuse(400, "bad_request", "The request is malformed.");
  if (parser.hosts() > 1 || (parser.hosts() == 0 && !request.http_1_0))
    return refuse(400, "bad_request", "A request needs one Host header.");
  request.keep_alive = parser.keep_alive();
  request.chunked = parser.has_transfer_encoding();
  request.content_length = parser.content_length().value_or(0);
  request.has_body = request.chunked || request.content_length > 0;
  drop(size);
  return request;
}

http_reader::result http_reader::refuse(unsigned status, std::string_view error,
                                        std::string message) {
  take_rest();
  return http_refusal{status, error, std::move(message)};
}

void http_reader::drop(size_t size) {
  bytes_.erase(0, size);
  line_ = scanned_ = lines_ = 0;
}

} // namespace callboard::net
