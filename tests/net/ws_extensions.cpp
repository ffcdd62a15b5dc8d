#include "support/test.hpp"

#include <string>
#include <string_view>

#include <callboard/net/ws_extensions.hpp>

using namespace callboard::net;

namespace {

/// Writes a parsed list in one form: `name;param;param=value,name`.
std::string parse(std::string_view list) {
  auto extensions = parse_ws_extensions(list);
  if (!extensions)
    return "malformed";
  std::string result;
  for (auto& extension : *extensions) {
    result += result.empty() ? "" : ",";
    result += extension.name;
    for (auto& param : extension.params) {
      result += ';';
      result += param.name;
      if (param.has_value)
        (result += '=') += param.value;
    }
  }
  return result;
}

std::string answer(std::string_view offers) {
  auto extensions = parse_ws_extensions(offers);
  if (!extensions)
    return "malformed";
  auto params = choose_deflate(*extensions);
  return params ? to_header(*params) : "declined";
}

const std::string plain = "permessage-deflate; server_no_context_takeover; "
                          "client_no_context_takeover";

std::string windowed(int bits) {
  return plain + "; server_max_window_bits=" + std::to_string(bits);
}

} // namespace

CAF_TEST(lists are parsed as RFC 6455 says) {
  CHECK_EQ(parse(""), "");
  CHECK_EQ(parse("foo"), "foo");
  CHECK_EQ(parse("foo, bar; baz=2"), "foo,bar;baz=2");
  CHECK_EQ(parse("foo;bar;baz = \"2\" ; x"), "foo;bar;baz=2;x");
  CHECK_EQ(parse(" , foo ,, bar,\t"), "foo,bar");
  CHECK_EQ(parse("a;b;b=1, a"), "a;b;b=1,a");
}

CAF_TEST(malformed lists are refused) {
  for (auto list :
       {"foo bar", "foo;", "foo;;bar", "foo; bar=", "foo; =1", "foo=1", ";",
        "foo; bar=\"", "foo; bar=\"\"", "foo; bar=\"a b\"", "foo; bar=\"a\\b\"",
        "foo; bar=\"a", "foo; bar=\"a\"b", "foo@bar", "\"foo\"", "foo/1"})
    CHECK_EQ(parse(list), "malformed");
}

CAF_TEST(offers of browsers are accepted) {
  CHECK_EQ(answer("permessage-deflate"), plain);
  CHECK_EQ(answer("permessage-deflate; client_max_window_bits"), plain);
  CHECK_EQ(answer("PerMessage-Deflate"), plain);
  CHECK_EQ(answer("permessage-deflate; client_no_context_takeover; "
                  "server_no_context_takeover"),
           plain);
}

CAF_TEST(windows are kept to) {
  for (auto bits = 9; bits <= 15; ++bits) {
    auto value = std::to_string(bits);
    CHECK_EQ(answer("permessage-deflate; server_max_window_bits=" + value),
             windowed(bits));
    CHECK_EQ(answer("permessage-deflate; client_max_window_bits=" + value),
             plain);
  }
  CHECK_EQ(answer("permessage-deflate; server_max_window_bits=\"10\""),
           windowed(10));
  CHECK_EQ(answer("permessage-deflate; client_max_window_bits=8"), plain);
}

CAF_TEST(a server window of 8 bits is beyond zlib) {
  CHECK_EQ(answer("permessage-deflate; server_max_window_bits=8"), "declined");
  // The client named what it would take instead.
  CHECK_EQ(answer("permessage-deflate; server_max_window_bits=8, "
                  "permessage-deflate"),
           plain);
}

CAF_TEST(bad offers are declined) {
  for (auto params :
       {"unknown", "unknown=1", "server_no_context_takeover=1",
        "client_no_context_takeover=true", "server_max_window_bits",
        "server_max_window_bits=7", "server_max_window_bits=16",
        "server_max_window_bits=09", "server_max_window_bits=+9",
        "server_max_window_bits=100", "server_max_window_bits=x",
        "client_max_window_bits=7", "client_max_window_bits=16",
        "client_max_window_bits=1", "client_max_window_bits=015",
        "client_max_window_bits; client_max_window_bits",
        "server_max_window_bits=9; server_max_window_bits=10",
        "Server_Max_Window_Bits=10"})
    CHECK_EQ(answer(std::string{"permessage-deflate; "} + params), "declined");
  CHECK_EQ(answer(""), "declined");
  CHECK_EQ(answer("x-webkit-deflate-frame"), "declined");
}

CAF_TEST(the first acceptable offer is taken) {
  CHECK_EQ(answer("permessage-deflate; unknown, foo; bar, "
                  "permessage-deflate; server_max_window_bits=12, "
                  "permessage-deflate"),
           windowed(12));
}
