#include <callboard/net/token_signer.hpp>

#include <string>

#include <callboard/net/client_error.hpp>
#include <callboard/net/token_verifier.hpp>

#include "net/token_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace callboard::net;

namespace {

std::string words(std::string_view key) {
  auto signer = token_signer::from_text(key);
  return signer ? std::string{to_string(signer->algorithm())}
                : details(signer.error()).sentence;
}

} // namespace

CAF_TEST(the key decides about the algorithm) {
  CHECK_EQ(words(secret), "HS256");
  CHECK_EQ(words(rsa_private_pem), "RS256");
  CHECK_EQ(words(ec_private_pem), "ES256");
}

CAF_TEST(what cannot sign is told) {
  auto none = "It is not a private key in PEM, without a password.";
  CHECK_EQ(words(rsa_public_pem), none);
  CHECK_EQ(words(rsa_private_pem.substr(0, 500)), none);
  CHECK_EQ(words("short"), "A secret for HS256 needs 32 bytes at least.");
}

CAF_TEST(what was signed is let in by the other half) {
  std::pair<std::string_view, std::string_view> rows[] = {
    {secret, secret},
    {rsa_private_pem, rsa_public_pem},
    {ec_private_pem, ec_public_pem},
  };
  for (auto& [ours, theirs] : rows) {
    auto signer = token_signer::from_text(ours);
    // ECDSA's numbers are short at times, and have to be padded.
    for (int i = 0; i < 300; i += ours == ec_private_pem ? 1 : 100) {
      auto claims = R"({"sub":"ann)" + std::to_string(i) + "\"}";
      auto who = verify_token(signer->sign(claims, "k \"1\""), {key_of(theirs)},
                              {}, 0);
      CAF_REQUIRE(who);
      CHECK_EQ(who->user, "ann" + std::to_string(i));
    }
  }
}
