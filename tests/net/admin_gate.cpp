#include <callboard/net/admin_gate.hpp>

#include <fstream>
#include <string>

#include <callboard/net/admin_options.hpp>
#include <callboard/net/client_error.hpp>

#include "support/scratch_folder.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace callboard::net;

namespace {

const std::string key(16, 'k');

http_request request(std::string host, std::string origin = {},
                     std::string authorization = {}) {
  http_request result;
  result.host = std::move(host);
  result.origin = std::move(origin);
  result.authorization = std::move(authorization);
  return result;
}

/// Returns why it is refused: `403 forbidden_host`; empty: it is not.
std::string refusal(const admin_gate& gate, const http_request& x,
                    bool secret = true) {
  auto why = gate.check(x, secret);
  return why ? std::to_string(why->status) + ' ' + std::string{why->error}
             : std::string{};
}

/// Writes a key file and returns what is read of it, or what is wrong.
std::string read(const std::string& text) {
  scratch_folder folder;
  auto path = folder.path("key");
  std::ofstream{path, std::ios::binary} << text;
  auto found = read_admin_key(path);
  if (found)
    return *found;
  auto sentence = details(found.error()).sentence;
  return sentence.substr(sentence.find("must"));
}

constexpr auto wrong = "must hold one key of 16 to 4096 visible characters";

} // namespace

// -- without a key ------------------------------------------------------------

CAF_TEST(programs of this machine are let in) {
  admin_gate gate{"", true};
  for (auto host : {"localhost", "LocalHost:8081", "127.0.0.1", "127.0.0.1:1",
                    "127.9.9.9", "[::1]", "[::1]:8081"}) {
    CHECK_EQ(refusal(gate, request(host)), "");
    CHECK_EQ(refusal(gate, request(host), false), "");
  }
}

CAF_TEST(names that may mean another machine are not ) {
  admin_gate gate{"", true};
  for (auto host : {"example.com", "localhost.example.com", "192.0.2.1",
                    "128.0.0.1", "[::2]", "[::ffff:192.0.2.1]", "", "x y",
                    "127.0.0.1.nip.io", "localhost:x"}) {
    CHECK_EQ(refusal(gate, request(host)), "403 forbidden_host");
    CHECK_EQ(refusal(gate, request(host), false), "403 forbidden_host");
  }
}

CAF_TEST(pages are not ) {
  admin_gate gate{"", true};
  for (auto origin : {"https://example.com", "http://localhost:8081", "null"}) {
    CHECK_EQ(refusal(gate, request("localhost", origin)),
             "403 forbidden_origin");
    CHECK_EQ(refusal(gate, request("localhost", origin), false),
             "403 forbidden_origin");
  }
}

// -- with a key ---------------------------------------------------------------

CAF_TEST(who shows the key is let in from everywhere) {
  admin_gate gate{key, false};
  for (auto scheme : {"Bearer ", "bearer ", "BEARER  "})
    CHECK_EQ(refusal(gate,
                     request("example.com", "https://a.example", scheme + key)),
             "");
}

CAF_TEST(who does not is not ) {
  admin_gate gate{key, false};
  auto other = key;
  other.back() = 'x';
  for (auto& shown :
       {std::string{}, key, std::string{"Bearer"}, std::string{"Bearer "},
        "Basic " + key, "Bearer " + other, "Bearer " + key + 'k',
        "Bearer " + key.substr(1), "Bearer" + key, "Bearer " + key + ' '})
    CHECK_EQ(refusal(gate, request("localhost", "", shown)),
             "401 unauthenticated");
  // What is no secret needs none, beyond loopback.
  CHECK_EQ(refusal(gate, request("example.com"), false), "");
  CHECK_EQ(refusal(gate, request("localhost", "https://a.example"), false), "");
}

CAF_TEST(on loopback pages are kept from what is no secret) {
  admin_gate gate{key, true};
  CHECK_EQ(refusal(gate, request("localhost:8081"), false), "");
  CHECK_EQ(refusal(gate, request("example.com"), false), "403 forbidden_host");
  CHECK_EQ(refusal(gate, request("localhost", "https://a.example"), false),
           "403 forbidden_origin");
  CHECK_EQ(refusal(gate,
                   request("example.com", "https://a.example",
                           "Bearer " + key.substr(1)),
                   false),
           "403 forbidden_origin");
  CHECK_EQ(refusal(gate,
                   request("example.com", "https://a.example", "Bearer " + key),
                   false),
           "");
  // The key says more than where somebody comes from.
  CHECK_EQ(refusal(gate, request("localhost")), "401 unauthenticated");
  CHECK_EQ(refusal(gate, request("example.com", "", "Bearer " + key)), "");
}

CAF_TEST(another key takes its place) {
  admin_gate gate{key, false};
  gate.set_key(std::string(16, 'n'));
  CHECK_EQ(refusal(gate, request("localhost", "", "Bearer " + key)),
           "401 unauthenticated");
  CHECK_EQ(refusal(gate,
                   request("localhost", "", "Bearer " + std::string(16, 'n'))),
           "");
}

// -- files --------------------------------------------------------------------

CAF_TEST(a key file has one key within its bounds) {
  CHECK_EQ(read(key), key);
  CHECK_EQ(read(key + '\n'), key);
  CHECK_EQ(read(key + "\r\n"), key);
  CHECK_EQ(read(key.substr(1)), wrong);
  CHECK_EQ(read(key.substr(1) + '\n'), wrong);
  std::string longest(4096, 'k');
  CHECK_EQ(read(longest), longest);
  CHECK_EQ(read(longest + "\r\n"), longest);
  CHECK_EQ(read(longest + 'k'), wrong);
  CHECK_EQ(read(longest + longest), wrong);
  CHECK_EQ(read(""), wrong);
  CHECK_EQ(read(key + ' ' + key), wrong);
  CHECK_EQ(read(key + "\n\n"), wrong);
  CHECK_EQ(read(key + "\xc3\xa9"), wrong);
}

CAF_TEST(a file that is not there is named) {
  auto found = read_admin_key("/nowhere/key");
  REQUIRE(!found);
  CHECK_EQ(details(found.error()).sentence,
           "the admin key file /nowhere/key cannot be read");
}

// -- options ------------------------------------------------------------------

CAF_TEST(beyond loopback it takes a key) {
  admin_options x;
  x.enabled = true;
  for (auto address : {"127.0.0.1", "127.1.2.3", "::1"}) {
    x.address = address;
    CHECK_EQ(check(x), "");
  }
  for (auto address : {"0.0.0.0", "192.0.2.1", "::", "::2"}) {
    x.address = address;
    CHECK_EQ(check(x), "the admin listener is not on loopback ("
                         + std::string{address}
                         + ") and needs a file with a key");
    x.key_file = "key";
    CHECK_EQ(check(x), "");
    x.key_file.clear();
  }
  x.enabled = false;
  CHECK_EQ(check(x), "");
}
