// Takes the input as a token and as key files: nothing is let in that was not
// signed, and no text ends the process. The first byte chooses what the rest
// is: claims that are then well signed, a header, a token, a key file, or a JWK
// set.

#include <cstdint>
#include <string>
#include <string_view>

#include <caf/init_global_meta_objects.hpp>

#include <callboard/messages/errc.hpp>
#include <callboard/net/base64url.hpp>
#include <callboard/net/server.hpp>
#include <callboard/net/token_signer.hpp>
#include <callboard/net/token_verifier.hpp>

#include "fuzz/frames.hpp"

namespace {

using namespace callboard;
using namespace callboard::net;

using fuzz::require;

constexpr int64_t now_ms = 1'800'000'000'000;

const token_rules rules;

const std::string& secret() {
  static const std::string result{"0123456789abcdef0123456789abcdef"};
  return result;
}

const token_keys& keys() {
  static const token_keys result{*token_key::from_secret(secret())};
  return result;
}

// What holds for whoever is let in, or is not.
void check(const caf::expected<identity>& x) {
  if (!x) {
    auto code = errc_of(x.error());
    require(code == errc::unauthenticated || code == errc::token_expired);
    return;
  }
  require(!x->user.empty() && x->user.size() <= token_name_bytes_max);
  require(x->tenant.size() <= token_name_bytes_max);
  require(x->expires_ms == 0 || x->expires_ms > now_ms);
  if (x->rights == nullptr)
    return;
  for (auto what : {operation::subscribe, operation::publish,
                    operation::request, operation::register_action})
    require(x->rights->size(what) <= grants::patterns_max);
}

void check_claims(std::string_view text) {
  static const auto signer = *token_signer::from_text(secret());
  check(verify_token(signer.sign(text), keys(), rules, now_ms));
}

// Without the secret nobody gets in, whatever the header says.
void check_header(std::string_view text) {
  auto claims = to_base64url(R"({"sub":"ann"})");
  for (auto signature : {"", "AAAA"})
    require(!verify_token(to_base64url(text) + '.' + claims + '.' + signature,
                          keys(), rules, now_ms));
}

void check_token(std::string_view text) {
  require(!verify_token(text, keys(), rules, now_ms));
}

// Keys that could be read refuse what they did not sign.
void check_keys(const caf::expected<token_keys>& x) {
  if (!x)
    return;
  require(!x->empty() && x->size() <= token_keys_max);
  for (auto& key : *x) {
    require(!key.verify("text", ""));
    require(!key.verify("text", std::string(32, 'x')));
    require(!key.verify("text", std::string(64, 'x')));
    require(!key.verify("text", std::string(256, 'x')));
  }
}

void check_base64url(std::string_view text) {
  if (auto bytes = from_base64url(text))
    require(to_base64url(*bytes) == text);
  require(from_base64url(to_base64url(text)) == text);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Errors hold sentences, which are CAF messages.
  static const bool ready = [] {
    caf::core::init_global_meta_objects();
    callboard::net::init();
    return true;
  }();
  if (!ready || size == 0)
    return 0;
  std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
  check_base64url(text);
  switch (data[0] % 5) {
    case 0:
      check_claims(text);
      break;
    case 1:
      check_header(text);
      break;
    case 2:
      check_token(text);
      break;
    case 3:
      check_keys(read_token_keys(text));
      break;
    default:
      check_keys(read_jwks(text));
  }
  return 0;
}
