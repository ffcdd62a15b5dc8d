// Takes the input as a token and as key files: nothing is let in that was not
// signed, and no text ends the process. The first byte chooses what the rest
// is: claims or a header that are then well signed, a token, a key file, or a
// JWK set, whose keys then check tokens that others have signed.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <callboard/messages/errc.hpp>
#include <callboard/net/base64url.hpp>
#include <callboard/net/token_signer.hpp>
#include <callboard/net/token_verifier.hpp>

#include "fuzz/frames.hpp"
#include "net/token_fixture.hpp"
#include "support/type_ids.hpp"

namespace {

using namespace callboard;
using namespace callboard::net;

using fuzz::require;

constexpr int64_t now_ms = 1'800'000'000'000;

const token_rules rules;

// Of a server that wants to be named, and by whom.
const token_rules strict_rules{"us", "callboard", std::chrono::seconds{30}};

const token_keys& keys() {
  static const token_keys result{key_of(secret)};
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
  static const auto signer = *token_signer::from_text(secret);
  auto token = signer.sign(text);
  check(verify_token(token, keys(), rules, now_ms));
  auto strict = verify_token(token, keys(), strict_rules, now_ms);
  check(strict);
  // Nobody whose claims do not even have the names.
  if (strict)
    require(text.find('\\') != text.npos
            || (text.find("\"us\"") != text.npos
                && text.find("\"callboard\"") != text.npos));
}

// Without the secret nobody gets in, whatever the header says; and with it
// only by the algorithm that the key has.
void check_header(std::string_view text) {
  constexpr std::string_view claims = R"({"sub":"ann"})";
  for (auto signature : {"", "AAAA"})
    require(!verify_token(to_base64url(text) + '.' + to_base64url(claims) + '.'
                            + signature,
                          keys(), rules, now_ms));
  auto signed_well = verify_token(forge(text, claims), keys(), rules, now_ms);
  check(signed_well);
  if (signed_well)
    require(
      signed_well->user == "ann"
      && (text.find("HS256") != text.npos || text.find('\\') != text.npos));
}

void check_token(std::string_view text) {
  require(!verify_token(text, keys(), rules, now_ms));
}

// Lets keys check the examples of RFC 7515, which have run out and name nobody:
// well signed or not, they let nobody in.
void check_examples(const token_keys& keys) {
  static const auto tokens = [] {
    auto make = [](std::string_view head, std::string_view signature) {
      return std::string{head} + std::string{rfc_claims} + '.'
             + std::string{signature};
    };
    return std::vector<std::string>{make(rfc_hs256_header, rfc_hs256_signature),
                                    make(rfc_rs256_header, rfc_rs256_signature),
                                    make(rfc_es256_header,
                                         rfc_es256_signature)};
  }();
  for (auto& token : tokens) {
    auto x = verify_token(token, keys, rules, now_ms);
    require(!x);
    check(x);
  }
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
  check_examples(*x);
}

void check_base64url(std::string_view text) {
  if (auto bytes = from_base64url(text))
    require(to_base64url(*bytes) == text);
  require(from_base64url(to_base64url(text)) == text);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Errors hold sentences, which are CAF messages.
  static const bool ready = (callboard::init_type_ids(), true);
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
