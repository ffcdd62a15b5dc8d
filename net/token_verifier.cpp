#include <callboard/net/token_verifier.hpp>

#include <algorithm>
#include <cmath>
#include <optional>

#include <callboard/messages/errc.hpp>
#include <callboard/net/base64url.hpp>
#include <callboard/net/json_parts.hpp>

namespace callboard::net {

namespace {

// The end of the year 9999; what is later is not in seconds.
constexpr double seconds_max = 253'402'300'799;

constexpr size_t claim_bytes_max = token_bytes_max;

struct claim {
  operation what;
  const char* name;
};

constexpr claim rights_claims[] = {
  {operation::subscribe, "sub_topics"},
  {operation::publish, "pub_topics"},
  {operation::request, "actions"},
  {operation::register_action, "register_actions"},
};

/// Checks one token, step by step; the first step that fails ends it.
class verification {
public:
  verification(const token_rules& rules, int64_t now_ms)
    : rules_{rules}, now_ms_{now_ms} {
  }

  caf::expected<identity> run(std::string_view token, const token_keys& keys) {
    if (split(token) && read_header() && check_signature(keys) && read_claims())
      return std::move(who_);
    return caf::make_error(code_, std::string{reason_});
  }

private:
  bool fail(const char* reason, errc code = errc::unauthenticated) {
    reason_ = reason;
    code_ = code;
    return false;
  }

  // -- the form ---------------------------------------------------------------

  bool split(std::string_view token) {
    if (token.size() > token_bytes_max)
      return fail("it is longer than 8 KiB");
    auto first = token.find('.');
    auto last = token.rfind('.');
    if (first == std::string_view::npos || first == last
        || token.find('.', first + 1) != last)
      return fail("it has not three parts");
    signed_ = token.substr(0, last);
    header_ = from_base64url(token.substr(0, first));
    claims_ = from_base64url(token.substr(first + 1, last - first - 1));
    signature_ = from_base64url(token.substr(last + 1));
    return (header_ && claims_ && signature_) || fail("it is not base64url");
  }

  bool read_header() {
    json_document document;
    if (!parse_json_object(*header_, document))
      return fail("its header is not a JSON object");
    json_members header{document};
    algorithm_ = header.find_text("alg", claim_bytes_max);
    id_ = header.find_text("kid", token_key::id_bytes_max);
    // What must be understood is not (RFC 7515, 4.1.11).
    auto critical = header.find("crit") != nullptr;
    return !(header.faulty() || critical)
           || fail("its header has a member that is not understood");
  }

  // -- the signature ----------------------------------------------------------

  bool check_signature(const token_keys& keys) {
    auto tried = false;
    for (auto& x : keys) {
      if (to_string(x.algorithm()) != algorithm_
          || (!id_.empty() && !x.id().empty() && x.id() != id_))
        continue;
      tried = true;
      if (x.verify(signed_, *signature_))
        return true;
    }
    return fail(tried ? "its signature is wrong"
                      : "no key has its algorithm and kid");
  }

  // -- the claims -------------------------------------------------------------

  bool read_claims() {
    json_document document;
    if (!parse_json_object(*claims_, document))
      return fail("its claims are not a JSON object");
    json_members claims{document};
    return check_times(claims) && check_issuer(claims) && check_audience(claims)
           && read_user(claims) && read_rights(claims);
  }

  // Reads a time (RFC 7519, 2, NumericDate) in milliseconds.
  bool read_time(json_members& claims, const char* name,
                 std::optional<int64_t>& result) {
    auto* x = claims.find(name);
    if (claims.faulty())
      return false;
    if (x == nullptr)
      return true;
    auto good = x->IsNumber() && x->GetDouble() >= 0
                && x->GetDouble() <= seconds_max;
    if (good)
      result = static_cast<int64_t>(std::floor(x->GetDouble() * 1000));
    return good;
  }

  bool check_times(json_members& claims) {
    std::optional<int64_t> end, begin;
    if (!read_time(claims, "exp", end) || !read_time(claims, "nbf", begin))
      return fail("its exp or nbf is not a time in seconds");
    using std::chrono::milliseconds;
    auto skew_ms
      = std::chrono::duration_cast<milliseconds>(rules_.skew).count();
    // 0 stands for never.
    if (end)
      who_.expires_ms = std::max<int64_t>(1, *end + skew_ms);
    if (end && who_.expires_ms <= now_ms_)
      return fail("it has run out", errc::token_expired);
    return !begin || *begin <= now_ms_ + skew_ms
           || fail("its time has not come (nbf)");
  }

  bool check_issuer(json_members& claims) {
    if (rules_.issuer.empty())
      return true;
    return claims.find_text("iss", claim_bytes_max) == rules_.issuer
           || fail("it is of another issuer (iss)");
  }

  bool check_audience(json_members& claims) {
    auto* x = claims.find("aud");
    if (x == nullptr && !claims.faulty() && rules_.audience.empty())
      return true;
    auto is_ours = [this](const json_value& y) {
      return y.IsString() && !rules_.audience.empty()
             && text_of(y) == rules_.audience;
    };
    auto ours = x != nullptr && is_ours(*x);
    if (x != nullptr && x->IsArray())
      ours = std::any_of(x->Begin(), x->End(), is_ours);
    return ours || fail("it is for another audience (aud)");
  }

  bool read_user(json_members& claims) {
    who_.user = claims.find_text("sub", token_name_bytes_max);
    who_.tenant = claims.find_text("tenant", token_name_bytes_max);
    return !(claims.faulty() || who_.user.empty())
           || fail("it has no sub, or its sub or tenant is not a short text");
  }

  bool read_rights(json_members& claims) {
    auto rights = std::make_shared<grants>();
    auto any = false;
    for (auto& [what, name] : rights_claims) {
      auto* list = claims.find(name);
      if (claims.faulty())
        return fail("it has a claim twice");
      if (list == nullptr)
        continue;
      any = true;
      if (!list->IsArray() || list->Size() > grants::patterns_max)
        return fail("its rights are not lists of up to 256 patterns");
      for (auto& x : list->GetArray())
        if (!x.IsString()
            || rights->add(what, text_of(x)) != subject_error::none)
          return fail("its rights have what is no pattern");
    }
    if (any)
      who_.rights = std::move(rights);
    return true;
  }

  const token_rules& rules_;
  int64_t now_ms_;
  std::string_view signed_;
  std::optional<std::string> header_;
  std::optional<std::string> claims_;
  std::optional<std::string> signature_;
  std::string algorithm_;
  std::string id_;
  identity who_;
  errc code_ = errc::unauthenticated;
  const char* reason_ = "";
};

} // namespace

caf::expected<identity> verify_token(std::string_view token,
                                     const token_keys& keys,
                                     const token_rules& rules, int64_t now_ms) {
  return verification{rules, now_ms}.run(token, keys);
}

} // namespace callboard::net
