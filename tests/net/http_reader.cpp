#include "support/test.hpp"

#include <string>
#include <string_view>

#include <callboard/net/http_reader.hpp>

using namespace callboard::net;

using namespace std::literals;

namespace {

std::string describe(const http_reader::result& x) {
  if (auto* request = std::get_if<http_request>(&x))
    return request->method + ' ' + request->target;
  if (auto* refusal = std::get_if<http_refusal>(&x))
    return std::to_string(refusal->status) + ' ' + std::string{refusal->error}
           + ": " + refusal->message;
  return "more";
}

std::string take(std::string_view bytes) {
  http_reader reader;
  reader.append(bytes);
  return describe(reader.take());
}

http_request take_request(std::string_view bytes) {
  http_reader reader;
  reader.append(bytes);
  return std::get<http_request>(reader.take());
}

constexpr auto get_root = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"sv;

/// Returns a request whose head has this many bytes.
std::string head_of(size_t size) {
  auto result = "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n"s;
  result.insert(result.size() - 4, size - result.size(), 'x');
  return result;
}

/// Returns a request with this many header fields.
std::string fields_of(size_t n) {
  auto result = "GET / HTTP/1.1\r\nHost: a\r\n"s;
  for (size_t i = 1; i < n; ++i)
    result += "X: y\r\n";
  return result + "\r\n";
}

/// Returns a request whose request line has this many bytes, CR LF included.
std::string line_of(size_t size) {
  constexpr auto rest = "GET / HTTP/1.1\r\n"sv;
  return "GET /" + std::string(size - rest.size(), 'x')
         + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

constexpr auto malformed = "400 bad_request: The request is malformed."sv;

constexpr auto bad_version
  = "505 unsupported_http_version: HTTP/1.1 is spoken here."sv;

} // namespace

// -- what is right ------------------------------------------------------------

CAF_TEST(a request comes out however it is cut) {
  auto bytes = "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n"s;
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    http_reader reader;
    reader.append(bytes.substr(0, cut));
    CHECK_EQ(describe(reader.take()), "more");
    reader.append(bytes.substr(cut));
    auto result = reader.take();
    CHECK_EQ(describe(result), "GET /ws");
    CHECK_EQ(std::get<http_request>(result).upgrade, "websocket");
    CHECK(reader.empty());
  }
}

CAF_TEST(a request comes out byte for byte) {
  http_reader reader;
  for (auto c : get_root.substr(0, get_root.size() - 1)) {
    reader.append({&c, 1});
    CHECK_EQ(describe(reader.take()), "more");
  }
  reader.append("\n");
  CHECK_EQ(describe(reader.take()), "GET /");
}

CAF_TEST(pipelined requests come out one by one) {
  http_reader reader;
  reader.append("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
                "HEAD /2 HTTP/1.0\r\n\r\n"
                "GET /3 HTTP/1.1\r\nHost: a\r\n\r\nrest");
  CHECK_EQ(describe(reader.take()), "GET /1");
  CHECK_EQ(describe(reader.take()), "HEAD /2");
  CHECK_EQ(describe(reader.take()), "GET /3");
  CHECK(!reader.empty());
  CHECK_EQ(reader.take_rest(), "rest");
  CHECK(reader.empty());
}

CAF_TEST(bytes behind a request are kept as they are) {
  http_reader reader;
  reader.append(get_root);
  reader.append("\x82\x81\0\0\0\0\n\xFF"sv);
  CHECK_EQ(describe(reader.take()), "GET /");
  CHECK_EQ(reader.take_rest(), "\x82\x81\0\0\0\0\n\xFF"s);
}

CAF_TEST(empty lines in front of a request are skipped) {
  CHECK_EQ(take("\r\n\r\n" + std::string{get_root}), "GET /");
  CHECK_EQ(take("\r\n"), "more");
  CHECK_EQ(take("\r"), "more");
}

CAF_TEST(fields come out whatever the case of their names) {
  auto x = take_request("GET / HTTP/1.1\r\nhost: a\r\n"
                        "AUTHORIZATION: Bearer t\r\n"
                        "if-none-match:\"e\"\r\n"
                        "upgrade: websocket\r\n"
                        "connection: keep-alive, Upgrade\r\n"
                        "sec-websocket-version: 13\r\n"
                        "sec-websocket-key:   k  \r\n"
                        "sec-websocket-protocol: p\r\n"
                        "sec-websocket-extensions: e; f=1\r\n\r\n");
  CHECK_EQ(x.authorization, "Bearer t");
  CHECK_EQ(x.if_none_match, "\"e\"");
  auto ws = x.ws();
  CHECK_EQ(ws.upgrade, "websocket");
  CHECK_EQ(ws.connection, "keep-alive, Upgrade");
  CHECK_EQ(ws.version, "13");
  CHECK_EQ(ws.key, "k");
  CHECK_EQ(ws.subprotocols, "p");
  CHECK_EQ(ws.extensions, "e; f=1");
}

CAF_TEST(repeated fields are joined) {
  auto x = take_request("GET / HTTP/1.1\r\nHost: a\r\n"
                        "Sec-WebSocket-Protocol: a\r\n"
                        "Sec-WebSocket-Protocol: b, c\r\n\r\n");
  CHECK_EQ(x.ws_subprotocols, "a, b, c");
}

CAF_TEST(for whom a request was forwarded comes out as one list) {
  auto x = take_request("GET / HTTP/1.1\r\nHost: a\r\n"
                        "X-Forwarded-For: a, b\r\n"
                        "x-forwarded-for: c\r\n"
                        "X-Forwarded-Fo: d\r\n"
                        "X-Forwarded-For-: e\r\n"
                        "Forwarded: for=f\r\n\r\n");
  CHECK_EQ(x.forwarded_for, "a, b, c");
  CHECK_EQ(take_request(get_root).forwarded_for, "");
}

CAF_TEST(keep - alive follows version and Connection) {
  CHECK(take_request(get_root).keep_alive);
  CHECK(!take_request("GET / HTTP/1.0\r\n\r\n").keep_alive);
  CHECK(!take_request("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
           .keep_alive);
  CHECK(take_request("GET / HTTP/1.0\r\n\r\n").http_1_0);
  CHECK(!take_request(get_root).http_1_0);
}

CAF_TEST(a body is announced by its length or its coding) {
  auto with = [](std::string_view field) {
    return take_request("POST / HTTP/1.1\r\nHost: a\r\n" + std::string{field}
                        + "\r\n\r\n")
      .has_body;
  };
  CHECK(!with("X: y"));
  CHECK(!with("Content-Length: 0"));
  CHECK(with("Content-Length: 1"));
  CHECK(with("Content-Length: 18446744073709551615"));
  CHECK(with("Transfer-Encoding: chunked"));
  CHECK(with("Transfer-Encoding: gzip"));
  CHECK(with("Transfer-Encoding: identity"));
}

// -- bounds -------------------------------------------------------------------

CAF_TEST(a request line has 8 KiB at most) {
  constexpr auto refused
    = "414 target_too_long: A request line may have 8 KiB at most."sv;
  CHECK_EQ(take(line_of(8192)).size(), 8192 - " HTTP/1.1\r\n"sv.size());
  CHECK_EQ(take(line_of(8193)), refused);
  CHECK_EQ(take(line_of(8192).substr(0, 8191)), "more");
  CHECK_EQ(take(std::string(8193, 'G')), refused);
}

CAF_TEST(a head has 16 KiB at most) {
  constexpr auto refused
    = "431 headers_too_large: A request's head may have 16 KiB at most."sv;
  CHECK_EQ(take(head_of(16384)), "GET /");
  CHECK_EQ(take(head_of(16385)), refused);
  CHECK_EQ(take(head_of(16385).substr(0, 16382)), "more");
  CHECK_EQ(take(head_of(40000).substr(0, 30000)), refused);
}

CAF_TEST(a head has 100 fields at most) {
  CHECK_EQ(take(fields_of(100)), "GET /");
  CHECK_EQ(take(fields_of(101)), "431 headers_too_large: A request may have "
                                 "100 header fields at most.");
}

CAF_TEST(the bounds are for each request) {
  http_reader reader;
  for (auto i = 0; i < 3; ++i)
    reader.append(head_of(12000));
  for (auto i = 0; i < 3; ++i)
    CHECK_EQ(describe(reader.take()), "GET /");
  CHECK(reader.empty());
}

CAF_TEST(who waits for word says so) {
  auto expects = [](const std::string& version, const std::string& field) {
    return take_request("POST / HTTP/" + version + "\r\nHost: a\r\n" + field
                        + "Content-Length: 1\r\n\r\n")
      .expects_continue;
  };
  CHECK(expects("1.1", "Expect: 100-continue\r\n"));
  CHECK(expects("1.1", "expect: 100-CONTINUE\r\n"));
  CHECK(!expects("1.1", ""));
  CHECK(!expects("1.1", "Expect: something\r\n"));
  CHECK(!expects("1.0", "Expect: 100-continue\r\n"));
}

// -- what is wrong ------------------------------------------------------------

CAF_TEST(what is not HTTP is refused at its first byte) {
  constexpr auto refused = "400 bad_request: This is not HTTP."sv;
  CHECK_EQ(take("\x16\x03\x01"), refused); // TLS
  CHECK_EQ(take("\x81\x85"), refused);     // a WebSocket frame
  CHECK_EQ(take("\0"sv), refused);
  CHECK_EQ(take(" GET / HTTP/1.1"), refused);
  CHECK_EQ(take("\r\n\x16"), refused);
}

CAF_TEST(lines end with CR LF) {
  constexpr auto refused = "400 bad_request: Lines must end with CR LF."sv;
  CHECK_EQ(take("GET / HTTP/1.1\n"), refused);
  CHECK_EQ(take("GET / HTTP/1.1\r\nHost: a\n"), refused);
  CHECK_EQ(take("GET / HTTP/1.1\r\nHost: a\r\n\n"), refused);
  CHECK_EQ(take("\n"), refused);
}

CAF_TEST(malformed requests are refused) {
  for (auto line : {"GET", "GET /", "GET / ", "GET /  HTTP/1.1",
                    "G@T / HTTP/1.1", "GET / FTP/1.1", "GET / HTTP/",
                    "GET / HTTP/x.1", "GET / x HTTP", "/", "GET\t/\tHTTP/1.1"})
    CHECK_EQ(take(line + "\r\nHost: a\r\n\r\n"s), malformed);
  for (auto field :
       {"no colon", ": no name", "a b: c", "a : b", "a: b\rc", "a: \x7f",
        "Content-Length: x", "Content-Length: -1",
        "Content-Length: 18446744073709551616",
        "Content-Length: 1\r\nContent-Length: 2", "Connection: ,;"})
    CHECK_EQ(take("GET / HTTP/1.1\r\nHost: a\r\n"s + field + "\r\n\r\n"),
             malformed);
  CHECK_EQ(take("GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n"sv), malformed);
}

CAF_TEST(other versions of HTTP are refused) {
  CHECK_EQ(take("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), bad_version);
  CHECK_EQ(take("GET / HTTP/1.2\r\nHost: a\r\n\r\n"), bad_version);
  CHECK_EQ(take("GET / HTTP/0.9\r\n\r\n"), bad_version);
}

CAF_TEST(there is one Host) {
  constexpr auto refused
    = "400 bad_request: A request needs one Host header."sv;
  CHECK_EQ(take("GET / HTTP/1.1\r\n\r\n"), refused);
  CHECK_EQ(take("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), refused);
  CHECK_EQ(take("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"), refused);
  CHECK_EQ(take("GET / HTTP/1.0\r\n\r\n"), "GET /");
  CHECK_EQ(take("GET / HTTP/1.1\r\nHost:\r\n\r\n"), "GET /");
}

CAF_TEST(a refusal drops all that follows) {
  http_reader reader;
  reader.append("bad\r\n\r\n");
  reader.append(get_root);
  CHECK_EQ(describe(reader.take()), malformed);
  CHECK(reader.empty());
}
