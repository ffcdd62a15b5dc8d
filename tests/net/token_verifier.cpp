#include <callboard/net/token_verifier.hpp>

#include <string>

#include <callboard/messages/errc.hpp>
#include <callboard/net/base64url.hpp>
#include <callboard/net/client_error.hpp>
#include <callboard/net/token_signer.hpp>

#include "net/token_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace callboard::net;
using namespace std::chrono_literals;

namespace {

constexpr auto header = R"({"alg":"HS256"})";

// All tokens here are looked at at this second, in this millisecond.
constexpr int64_t now_s = 1'800'000'000;
constexpr int64_t now_ms = now_s * 1000 + 500;

struct fixture {
  // Returns the user, or the error and why.
  std::string look(std::string_view token) {
    auto x = verify_token(token, keys, rules, now_ms);
    if (x) {
      who = std::move(*x);
      return who.user;
    }
    auto code = errc_of(x.error());
    return std::string{info(code).name} + ": " + details(x.error()).sentence;
  }

  std::string claims(std::string_view members) {
    std::string text{R"({"sub":"ann")"};
    if (!members.empty())
      text += ',';
    return look(forge(header, text.append(members) + '}'));
  }

  std::string time(const char* name, double seconds) {
    return claims('"' + std::string{name}
                  + "\":" + std::to_string(now_s + seconds));
  }

  token_keys keys{key_of(secret)};
  token_rules rules;
  identity who;
};

std::string refused(std::string_view why) {
  return "unauthenticated: " + std::string{why};
}

const std::string expired = "token_expired: it has run out";
const std::string no_key = refused("no key has its algorithm and kid");
const std::string wrong_signature = refused("its signature is wrong");
const std::string not_yet = refused("its time has not come (nbf)");
const std::string no_time = refused("its exp or nbf is not a time in seconds");
const std::string no_user
  = refused("it has no sub, or its sub or tenant is not a short text");
const std::string no_list
  = refused("its rights are not lists of up to 256 patterns");
const std::string no_pattern = refused("its rights have what is no pattern");
const std::string not_ours = refused("it is for another audience (aud)");
const std::string twice = refused("it has a claim twice");

} // namespace

CAF_TEST_FIXTURE_SCOPE(token_verifier_tests, fixture)

// -- algorithms and keys ------------------------------------------------------

CAF_TEST(each algorithm lets in) {
  std::pair<std::string_view, std::string_view> rows[] = {
    {secret, secret},
    {rsa_private_pem, rsa_public_pem},
    {ec_private_pem, ec_public_pem},
  };
  for (auto& [ours, theirs] : rows) {
    auto token = token_signer::from_text(ours)->sign(R"({"sub":"ann"})");
    keys = {key_of(theirs)};
    CHECK_EQ(look(token), "ann");
    // With the other keys beside as well, in any order.
    keys = {key_of(ec_public_pem), key_of(secret), key_of(rsa_public_pem)};
    CHECK_EQ(look(token), "ann");
    // Each byte of the signature counts.
    auto& one = token[token.size() - 5];
    one = one == 'A' ? 'B' : 'A';
    CHECK_EQ(look(token), wrong_signature);
  }
}

CAF_TEST(the examples of RFC 7515 are signed but not for us) {
  for (auto& [jwk, head, signature] :
       {std::tuple{rfc_hs256_jwk, rfc_hs256_header, rfc_hs256_signature},
        std::tuple{rfc_rs256_jwk, rfc_rs256_header, rfc_rs256_signature},
        std::tuple{rfc_es256_jwk, rfc_es256_header, rfc_es256_signature}}) {
    keys = *read_jwks("{\"keys\":[" + std::string{jwk} + "]}");
    auto token = std::string{head} + std::string{rfc_claims} + '.'
                 + std::string{signature};
    CHECK_EQ(look(token), expired);
    // A second before its end it is only that nobody is named.
    auto then = verify_token(token, keys, {}, 1'300'819'379'000);
    CHECK_EQ(refused(details(then.error()).sentence), no_user);
  }
}

CAF_TEST(a token without a signature is refused) {
  for (auto alg : {"none", "None", "NONE", "", "hs256", "HS384", "ES512"}) {
    auto text = to_base64url("{\"alg\":\"" + std::string{alg} + "\"}") + '.'
                + to_base64url(R"({"sub":"ann"})") + '.';
    CHECK_EQ(look(text), no_key);
    CHECK_EQ(look(text + to_base64url(hmac(secret, text))), no_key);
  }
  CHECK_EQ(look(forge("{}", R"({"sub":"ann"})")), no_key);
  CHECK_EQ(look(to_base64url(header) + '.' + to_base64url(R"({"sub":"ann"})")
                + '.'),
           wrong_signature);
}

CAF_TEST(a public key signs nothing) {
  // The attack: HS256 with the text of the public key as the secret.
  for (auto key : {rsa_public_pem, ec_public_pem}) {
    keys = {key_of(key)};
    CHECK_EQ(look(forge(header, R"({"sub":"ann"})", key)), no_key);
    for (auto alg : {"RS256", "ES256"}) {
      auto other = look(forge("{\"alg\":\"" + std::string{alg} + "\"}",
                              R"({"sub":"ann"})", key));
      CHECK(other == no_key || other == wrong_signature);
    }
  }
}

CAF_TEST(another key does not let in) {
  auto claims = R"({"sub":"ann"})";
  CHECK_EQ(look(forge(header, claims, std::string(32, 'x'))), wrong_signature);
  keys = {};
  CHECK_EQ(look(forge(header, claims)), no_key);
  keys = {key_of(ec_public_pem)};
  CHECK_EQ(look(token_signer::from_text(rsa_private_pem)->sign(claims)),
           no_key);
}

CAF_TEST(the kid chooses the key) {
  auto other = std::string(32, 'x');
  keys = {*token_key::from_secret(std::string{secret}, "a"),
          *token_key::from_secret(other, "b")};
  auto with = [&](std::string_view kid, std::string_view key) {
    return look(forge("{\"alg\":\"HS256\",\"kid\":" + std::string{kid} + "}",
                      R"({"sub":"ann"})", key));
  };
  CHECK_EQ(with("\"a\"", secret), "ann");
  CHECK_EQ(with("\"b\"", other), "ann");
  CHECK_EQ(with("\"a\"", other), wrong_signature);
  CHECK_EQ(with("\"b\"", secret), wrong_signature);
  CHECK_EQ(with("\"c\"", secret), no_key);
  // Without a name on one side all are tried.
  CHECK_EQ(look(forge(header, R"({"sub":"ann"})", other)), "ann");
  keys.push_back(*token_key::from_secret(std::string(32, 'y')));
  CHECK_EQ(with("\"c\"", std::string(32, 'y')), "ann");
  auto odd = refused("its header has a member that is not understood");
  CHECK_EQ(with("7", secret), odd);
  CHECK_EQ(with('"' + std::string(256, 'a') + '"', secret), odd);
  CHECK_EQ(with("\"a\",\"kid\":\"a\"", secret), odd);
}

CAF_TEST(what must be understood is not ) {
  CHECK_EQ(look(forge(R"({"alg":"HS256","crit":["b64"],"b64":false})",
                      R"({"sub":"ann"})")),
           refused("its header has a member that is not understood"));
}

// -- the form -----------------------------------------------------------------

CAF_TEST(what is no token is told) {
  auto parts = refused("it has not three parts");
  for (auto text : {"", "a", "a.b", "a.b.c.d", "a.b.c.d.e", "....", "."})
    CHECK_EQ(look(text), parts);
  auto base64 = refused("it is not base64url");
  for (auto text : {"a.b.c", "=.=.=", "e30.e30.e30=", " e30.e30.", "e30.e\n0."})
    CHECK_EQ(look(text), base64);
  auto no_object = refused("its header is not a JSON object");
  CHECK_EQ(look(".."), no_object);
  for (auto text : {"", "7", "[]", "{", "{}x", "{\"a\":\"\xff\"}"})
    CHECK_EQ(look(forge(text, "{}")), no_object);
  for (auto text : {"", "7", "[]", "{", "{\"sub\":\"ann\"} x"})
    CHECK_EQ(look(forge(header, text)),
             refused("its claims are not a JSON object"));
}

CAF_TEST(no part of a token is one) {
  auto whole = forge(header, R"({"sub":"ann"})");
  CHECK_EQ(look(whole), "ann");
  for (size_t i = 0; i < whole.size(); ++i) {
    CAF_CHECK_NOT_EQUAL(look(whole.substr(0, i)), "ann");
    CAF_CHECK_NOT_EQUAL(look(whole.substr(i + 1)), "ann");
  }
}

CAF_TEST(a token has up to 8 KiB) {
  auto of_size = [](size_t n) {
    for (size_t i = 5000;; ++i)
      if (auto x = forge(header,
                         R"({"sub":"ann","x":")" + std::string(i, 'x') + "\"}");
          x.size() >= n)
        return x;
  };
  auto last = of_size(8192);
  CAF_REQUIRE_EQUAL(last.size(), 8192u);
  CHECK_EQ(look(last), "ann");
  auto long_one = of_size(8193);
  CHECK_EQ(look(long_one), refused("it is longer than 8 KiB"));
  CHECK_EQ(look(std::string(1'000'000, '.')),
           refused("it is longer than 8 KiB"));
}

CAF_TEST(deep nesting is no harm) {
  auto deep = std::string(2000, '[') + std::string(2000, ']');
  CHECK_EQ(claims("\"x\":" + deep), "ann");
  CHECK_EQ(claims("\"exp\":" + deep), no_time);
}

// -- times --------------------------------------------------------------------

CAF_TEST(a token counts until exp and the skew are over) {
  CHECK_EQ(claims(""), "ann");
  CHECK_EQ(who.expires_ms, 0);
  CHECK_EQ(time("exp", 60), "ann");
  CHECK_EQ(who.expires_ms, (now_s + 90) * 1000);
  // It is half a second past now_s: the last instant that counts, and the next.
  CHECK_EQ(time("exp", -29.499), "ann");
  CHECK_EQ(time("exp", -29.5), expired);
  CHECK_EQ(time("exp", -now_s), expired);
  rules.skew = 0s;
  CHECK_EQ(time("exp", 0.501), "ann");
  CHECK_EQ(time("exp", 0.5), expired);
  rules.skew = 1ms;
  CHECK_EQ(time("exp", 0.5), "ann");
}

CAF_TEST(a token counts from nbf on but for the skew) {
  CHECK_EQ(time("nbf", -60), "ann");
  CHECK_EQ(time("nbf", 30.5), "ann");
  CHECK_EQ(time("nbf", 30.502), not_yet);
  rules.skew = 0s;
  CHECK_EQ(time("nbf", 0.5), "ann");
  CHECK_EQ(time("nbf", 0.502), not_yet);
}

CAF_TEST(what is no time is refused) {
  for (auto x : {"\"1900000000\"", "null", "true", "[1900000000]", "-1",
                 "1e300", "253402300800", "1900000000000"}) {
    CHECK_EQ(claims("\"exp\":" + std::string{x}), no_time);
    CHECK_EQ(claims("\"nbf\":" + std::string{x}), no_time);
  }
  CHECK_EQ(claims("\"exp\":253402300799"), "ann");
  CHECK_EQ(claims("\"exp\":1900000000,\"exp\":1900000000"), no_time);
}

// -- issuer and audience ------------------------------------------------------

CAF_TEST(the issuer is checked where one is asked for) {
  CHECK_EQ(claims(R"("iss":"anybody")"), "ann");
  rules.issuer = "us";
  CHECK_EQ(claims(R"("iss":"us")"), "ann");
  auto other = refused("it is of another issuer (iss)");
  for (auto x : {"", R"("iss":"them")", R"("iss":"")", R"("iss":["us"])",
                 R"("iss":"us","iss":"us")", R"("iss":"us ")"})
    CHECK_EQ(claims(x), other);
}

CAF_TEST(the audience must be ours) {
  CHECK_EQ(claims(R"("aud":"board")"), not_ours);
  CHECK_EQ(claims(R"("aud":[])"), not_ours);
  CHECK_EQ(claims(R"("aud":"")"), not_ours);
  rules.audience = "board";
  CHECK_EQ(claims(R"("aud":"board")"), "ann");
  CHECK_EQ(claims(R"("aud":["x","board"])"), "ann");
  for (auto x :
       {"", R"("aud":"boar")", R"("aud":["x"])", R"("aud":[])", R"("aud":7)",
        R"("aud":{"board":1})", R"("aud":"board","aud":"board")"})
    CHECK_EQ(claims(x), not_ours);
}

// -- who and what -------------------------------------------------------------

CAF_TEST(the user has a name) {
  auto sub = [this](std::string_view x) {
    return look(forge(header, "{\"sub\":" + std::string{x} + "}"));
  };
  auto quoted = [](size_t n) { return '"' + std::string(n, 'x') + '"'; };
  CHECK_EQ(sub(quoted(255)), std::string(255, 'x'));
  for (auto& x :
       {quoted(256), quoted(0), std::string{"7"}, std::string{"null"},
        std::string{R"("\udc00")"}, std::string{R"("ann","sub":"bob")"}})
    CHECK_EQ(sub(x), no_user);
  CHECK_EQ(look(forge(header, "{}")), no_user);
  CHECK_EQ(claims(R"("tenant":"acme")"), "ann");
  CHECK_EQ(who.tenant, "acme");
  CHECK_EQ(claims(R"("tenant":7)"), no_user);
}

CAF_TEST(without lists everything is allowed and else what they name) {
  CHECK_EQ(claims(""), "ann");
  CHECK(who.rights == nullptr);
  CHECK_EQ(claims(R"("sub_topics":["a/+","b"],"actions":[])"), "ann");
  CAF_REQUIRE(who.rights);
  CHECK(who.rights->allows(operation::subscribe, "a/1"));
  CHECK(who.rights->allows(operation::subscribe, "b"));
  CHECK(!who.rights->allows(operation::subscribe, "c"));
  CHECK(!who.rights->allows(operation::publish, "b"));
  CHECK(!who.rights->allows(operation::request, "b"));
  CHECK_EQ(claims(R"("pub_topics":["p"],"actions":["q"],)"
                  R"("register_actions":["r"])"),
           "ann");
  CHECK(who.rights->allows(operation::publish, "p"));
  CHECK(who.rights->allows(operation::request, "q"));
  // Who may ask may not answer in the place of who does.
  CHECK(!who.rights->allows(operation::register_action, "q"));
  CHECK(who.rights->allows(operation::register_action, "r"));
  CHECK_EQ(claims(R"("register_actions":[])"), "ann");
  CHECK(who.rights != nullptr);
}

CAF_TEST(rights are lists of patterns) {
  for (auto name :
       {"sub_topics", "pub_topics", "actions", "register_actions"}) {
    auto rights = [&](std::string_view x) {
      return claims('"' + std::string{name} + "\":" + std::string{x});
    };
    for (auto x : {"\"a\"", "null", "{}", "7"})
      CHECK_EQ(rights(x), no_list);
    for (auto x :
         {"[7]", "[\"\"]", "[\"a//b\"]", "[\"a\",\"#/a\"]", "[[\"a\"]]"})
      CHECK_EQ(rights(x), no_pattern);
    CHECK_EQ(rights("[\"a\"],\"" + std::string{name} + "\":[\"#\"]"), twice);
    CHECK_EQ(rights("[\"" + std::string(255, 'x') + "\"]"), "ann");
    CHECK_EQ(rights("[\"" + std::string(256, 'x') + "\"]"), no_pattern);
    std::string many{"[\"0\""};
    for (auto i = 1; i < 256; ++i)
      many += ",\"" + std::to_string(i) + '"';
    CHECK_EQ(rights(many + ']'), "ann");
    CHECK_EQ(rights(many + ",\"0\"]"), no_list);
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
