#include "commands.hpp"

#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <callboard/messages/topic.hpp>
#include <callboard/net/client_error.hpp>
#include <callboard/net/token_signer.hpp>
#include <callboard/net/token_verifier.hpp>

#include "connection.hpp"
#include "json_text.hpp"
#include "text_file.hpp"
#include "token_argument.hpp"
#include "units.hpp"

namespace callboard::cmd {

namespace {

using list = std::vector<std::string>;

struct token_options {
  std::string key_file;
  std::string key_id;
  std::string algorithm;
  std::string user;
  std::string tenant;
  std::string issuer;
  std::string audience;
  std::string expires_in = "1h";
  std::map<std::string, list> rights;
  list claims;
};

/// The claims of a token, by name, as JSON text.
using claim_map = std::map<std::string, std::string>;

CLI::ValidationError wrong(const std::string& option,
                           const std::string& sentence) {
  return CLI::ValidationError{option, sentence};
}

std::string to_json(std::string_view text) {
  std::string result;
  append_json(result, text);
  return result;
}

std::string to_json(const list& texts) {
  std::string result;
  for (auto& x : texts)
    result += (result.empty() ? "[" : ",") + to_json(x);
  return result + ']';
}

void add_times(const token_options& x, claim_map& claims) {
  using namespace std::chrono;
  auto lifetime = parse_duration(x.expires_in);
  if (!lifetime)
    throw wrong("--expires-in", '\'' + x.expires_in
                                  + "' is not a duration with a unit (ms, s, "
                                    "m, h)");
  auto now = system_clock::now().time_since_epoch();
  auto seconds = [](auto y) {
    return std::to_string(duration_cast<std::chrono::seconds>(y).count());
  };
  claims["iat"] = seconds(now);
  if (lifetime->count() > 0)
    claims["exp"] = seconds(now + *lifetime);
}

void add_rights(const token_options& x, claim_map& claims) {
  for (auto& [name, patterns] : x.rights) {
    for (auto& pattern : patterns)
      if (auto error = check_pattern(pattern);
          error != subject_error::none && error != subject_error::reserved)
        throw wrong(name, '\'' + pattern + "' is no pattern. "
                            + std::string{to_sentence(error)});
    if (!patterns.empty())
      claims[name] = to_json(patterns);
  }
}

void add_others(const token_options& x, claim_map& claims) {
  for (auto& claim : x.claims) {
    auto mark = claim.find('=');
    if (mark == std::string::npos || mark == 0)
      throw wrong("--claim", '\'' + claim + "' is not NAME=VALUE");
    auto value = claim.substr(mark + 1);
    auto json = payload::from_json(value);
    claims[claim.substr(0, mark)] = json ? json->to_json() : to_json(value);
  }
}

std::string make_claims(const token_options& x) {
  claim_map claims;
  auto add = [&claims](const char* name, const std::string& value) {
    if (!value.empty())
      claims[name] = to_json(value);
  };
  add("sub", x.user);
  add("tenant", x.tenant);
  add("iss", x.issuer);
  add("aud", x.audience);
  add_times(x, claims);
  add_rights(x, claims);
  add_others(x, claims);
  std::string result;
  for (auto& [name, value] : claims)
    result += (result.empty() ? "{" : ",") + to_json(name) + ':' + value;
  return result + '}';
}

int run_token(const token_options& x) {
  auto text = read_file(x.key_file);
  if (!text) {
    say(x.key_file + " cannot be read");
    return exit_failed;
  }
  auto signer = net::token_signer::from_text(*text);
  if (!signer) {
    say(x.key_file + ": " + net::details(signer.error()).sentence);
    return exit_failed;
  }
  auto algorithm = std::string{to_string(signer->algorithm())};
  if (!x.algorithm.empty() && x.algorithm != algorithm)
    throw wrong("--alg", "the key in " + x.key_file + " is for " + algorithm);
  auto token = signer->sign(make_claims(x), x.key_id);
  if (token.size() > net::token_bytes_max) {
    say("the token would have " + std::to_string(token.size())
        + " bytes; a server takes 8192");
    return exit_failed;
  }
  puts(token.c_str());
  return exit_ok;
}

} // namespace

void add_token_command(CLI::App& app, int& exit_code) {
  auto command = app.add_subcommand(
    "token", "Sign a token to try a server with, and print it");
  auto options = std::make_shared<token_options>();
  auto& x = *options;
  command
    ->add_option("--key", x.key_file,
                 "File with a private key in PEM (RSA, or EC on P-256), or a "
                 "secret for HS256\nof 32 bytes at least")
    ->required()
    ->take_last()
    ->type_name("FILE");
  command->add_option("--user", x.user, "Who shows it (sub)")
    ->required()
    ->take_last()
    ->type_name("NAME");
  command
    ->add_option("--alg", x.algorithm,
                 "Fail unless the key is for this algorithm")
    ->check(CLI::IsMember({"HS256", "RS256", "ES256"}));
  auto add_text = [&](const char* name, std::string& value, const char* help) {
    command->add_option(name, value, help)->take_last()->type_name("NAME");
  };
  add_text("--kid", x.key_id, "The key's name in a JWK set");
  add_text("--tenant", x.tenant, "Whom the user belongs to (tenant)");
  add_text("--issuer", x.issuer, "Who signs it (iss)");
  add_text("--audience", x.audience, "Whom it is for (aud)");
  auto add_list = [&](const char* name, const char* claim, const char* help) {
    command->add_option(name, x.rights[claim], help)
      ->type_name("PATTERN")
      ->allow_extra_args(false);
  };
  add_list("--sub", "sub_topics", "Topics that may be subscribed to");
  add_list("--pub", "pub_topics", "Topics that may be published to");
  add_list("--actions", "actions", "Actions that may be asked for");
  add_list("--register-actions", "register_actions",
           "Actions that may be answered");
  command
    ->add_option("--expires-in", x.expires_in,
                 "Time until it runs out; 0s: it does not")
    ->take_last()
    ->type_name("DURATION")
    ->capture_default_str();
  command
    ->add_option("--claim", x.claims,
                 "A further claim, in place of one of the same name; what is "
                 "not JSON is text")
    ->type_name("NAME=VALUE")
    ->allow_extra_args(false);
  command->footer(
    "PATTERN and NAME=VALUE can be given several times. Without --sub, --pub,\n"
    "--actions and --register-actions everything is allowed; with one, only\n"
    "what they name.\n"
    "  callboard token --key secret --user ann --sub 'chat/#' --expires-in 5m\n"
    "Exit codes: 0 printed; 1 the key cannot be used; 2 wrong usage.");
  command->callback([options, &exit_code] { exit_code = run_token(*options); });
}

} // namespace callboard::cmd
