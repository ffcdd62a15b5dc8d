#include <callboard/net/token_authority.hpp>

#include <chrono>
#include <functional>
#include <memory>

#include <callboard/net/client_error.hpp>
#include <callboard/net/log.hpp>
#include <callboard/net/token_files.hpp>

namespace callboard::net {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

template <class Clock>
milliseconds now() {
  return duration_cast<milliseconds>(Clock::now().time_since_epoch());
}

void log_reload(const std::string& path, size_t keys, const std::string& why) {
  if (why.empty())
    logger("net")->info("token_keys_read file=\"{}\" keys={}", path, keys);
  else
    logger("net")->error("token_keys_refused file=\"{}\" keys_kept={} "
                         "reason=\"{}\"",
                         path, keys, why);
}

/// Shows tokens to the verifier, with the keys of the moment.
class token_check {
public:
  token_check(const token_options& options)
    : files_{options.key_file, options.jwks_file, log_reload},
      rules_{options.rules} {
  }

  caf::error load() {
    return files_.load();
  }

  caf::expected<identity> operator()(const credentials& shown) {
    if (shown.token.empty() && !shown.certificate.empty()) {
      identity result;
      result.user = shown.certificate;
      return result;
    }
    auto keys = files_.current(now<std::chrono::steady_clock>());
    auto unix_ms = now<std::chrono::system_clock>().count();
    auto who = verify_token(shown.token, *keys, rules_, unix_ms);
    // Never the token itself, nor what it says.
    if (!who)
      logger("net")->debug("token_refused address={} reason=\"{}\"",
                           shown.address, details(who.error()).sentence);
    return who;
  }

  caf::expected<std::function<void()>> reload() {
    return files_.reload();
  }

private:
  token_files files_;
  token_rules rules_;
};

// Adds patterns to `rights`.
// @returns what is wrong with one.
caf::error add(grants& rights, operation what,
               const std::vector<std::string>& patterns) {
  for (auto& x : patterns)
    if (auto wrong = rights.add(what, x); wrong != subject_error::none)
      return caf::make_error(caf::sec::invalid_argument,
                             "The pattern '" + x + "' is wrong. "
                               + std::string{to_sentence(wrong)});
  return {};
}

} // namespace

bool is_granted(const identity& who, operation what, std::string_view subject) {
  constexpr std::string_view own = "$user/";
  if (who.rights == nullptr || who.rights->allows(what, subject))
    return true;
  return what == operation::subscribe && !who.user.empty()
         && subject.starts_with(own) && subject.substr(own.size()) == who.user;
}

caf::expected<authority> make_token_authority(const token_options& options) {
  auto anonymous = std::make_shared<grants>();
  using list = std::pair<operation, const std::vector<std::string>&>;
  auto any = false;
  for (auto& [what, patterns] :
       {list{operation::subscribe, options.anonymous_sub_topics},
        list{operation::publish, options.anonymous_pub_topics},
        list{operation::request, options.anonymous_actions}}) {
    if (auto wrong = add(*anonymous, what, patterns))
      return wrong;
    any |= !patterns.empty();
  }
  auto check = std::make_shared<token_check>(options);
  if (auto failed = check->load())
    return failed;
  authority result;
  result.authenticate = [check](const credentials& x) { return (*check)(x); };
  result.authorize = is_granted;
  result.reload = [check] { return check->reload(); };
  if (any) {
    result.anonymous.emplace();
    result.anonymous->rights = std::move(anonymous);
  }
  return result;
}

} // namespace callboard::net
