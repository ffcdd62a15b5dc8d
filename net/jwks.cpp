#include <callboard/net/token_key.hpp>

#include <callboard/net/base64url.hpp>
#include <callboard/net/json_parts.hpp>

// JWK sets (RFC 7517).

namespace callboard::net {

namespace {

constexpr size_t jwk_member_bytes_max = 4096;

caf::error bad_jwk(std::string sentence) {
  return caf::make_error(caf::sec::invalid_argument, std::move(sentence));
}

// Returns whether a JWK is for checking signatures (RFC 7517, 4.2 and 4.3).
bool is_for_checking(json_members& jwk) {
  auto use = jwk.find_text("use", jwk_member_bytes_max);
  if (!use.empty() && use != "sig")
    return false;
  auto* operations = jwk.find("key_ops");
  if (operations == nullptr || !operations->IsArray())
    return operations == nullptr;
  for (auto& x : operations->GetArray())
    if (x.IsString() && text_of(x) == "verify")
      return true;
  return false;
}

/// Reads one JWK after the other.
class jwks_reader {
public:
  // Reads a JWK.
  // @returns what is wrong with it.
  caf::error read(const json_value& x) {
    if (!x.IsObject())
      return bad_jwk("A key of the set is not an object.");
    json_members jwk{x};
    auto type = jwk.find_text("kty", jwk_member_bytes_max);
    auto algorithm = jwk.find_text("alg", jwk_member_bytes_max);
    auto id = jwk.find_text("kid", token_key::id_bytes_max);
    auto used = is_for_checking(jwk);
    if (jwk.faulty() || type.empty())
      return bad_jwk(
        "A key of the set has no kty, or a member of another type.");
    auto fits = [algorithm](std::string_view own) {
      return algorithm.empty() || algorithm == own;
    };
    if (!used)
      return {};
    if (type == "oct" && fits("HS256"))
      return add(jwk, token_key::from_secret(bytes(jwk, "k"), std::string{id}));
    if (type == "RSA" && fits("RS256"))
      return add(jwk, token_key::from_rsa(bytes(jwk, "n"), bytes(jwk, "e"),
                                          std::string{id}));
    if (type == "EC" && fits("ES256")
        && jwk.find_text("crv", jwk_member_bytes_max) == "P-256")
      return add(jwk, token_key::from_ec(bytes(jwk, "x"), bytes(jwk, "y"),
                                         std::string{id}));
    return {};
  }

  token_keys keys;

private:
  // Returns the bytes of a member in base64url; empty if it is none.
  static std::string bytes(json_members& jwk, std::string_view name) {
    return from_base64url(jwk.find_text(name, jwk_member_bytes_max))
      .value_or("");
  }

  caf::error add(const json_members& jwk, caf::expected<token_key> key) {
    if (jwk.faulty())
      return bad_jwk("A key of the set has a member twice, or too long.");
    if (!key)
      return key.error();
    if (keys.size() == token_keys_max)
      return bad_jwk("The set holds more than 64 keys.");
    keys.push_back(std::move(*key));
    return {};
  }
};

} // namespace

caf::expected<token_keys> read_jwks(std::string_view text) {
  if (text.size() > token_file_bytes_max)
    return bad_jwk("It is larger than 256 KiB.");
  json_document document;
  if (!parse_json_object(text, document))
    return bad_jwk("It is not a JSON object.");
  json_members set{document};
  auto* list = set.find("keys");
  if (list == nullptr || !list->IsArray())
    return bad_jwk("It has no list of keys, or two.");
  jwks_reader reader;
  for (auto& x : list->GetArray())
    if (auto failed = reader.read(x))
      return failed;
  if (reader.keys.empty())
    return bad_jwk("It has no key for HS256, RS256 or ES256.");
  return std::move(reader.keys);
}

} // namespace callboard::net
