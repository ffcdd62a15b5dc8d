#include <callboard/net/http_upgrade.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include <callboard/net/http_list.hpp>
#include <callboard/net/http_target.hpp>
#include <callboard/net/origins.hpp>
#include <callboard/net/ws_handshake.hpp>

namespace callboard::net {

namespace {

constexpr std::array subprotocols{subprotocol(codec::msgpack),
                                  subprotocol(codec::json)};

/// Decides step by step about one request; the first step that refuses ends it.
class upgrade_decision {
public:
  upgrade_decision(const http_upgrade_request& asked, http_front& front)
    : request_{asked.request},
      query_{asked.query},
      front_{front},
      peer_{asked.peer},
      certificate_{asked.peer.certificate} {
    upgrade_.echo = asked.echo;
    upgrade_.address = front.client_address(asked.peer.address,
                                            asked.request.forwarded_for);
  }

  http_reply make_reply() {
    if (decide_handshake() && is_ready() && check_load() && check_origin()
        && take_handshake() && authenticate() && admit())
      return accepted();
    return refuse_upgrade(std::move(refusal_), front_);
  }

private:
  bool decide_handshake() {
    if (request_.http_1_0)
      return refuse_with(
        {505, "unsupported_http_version", "A WebSocket begins with HTTP/1.1."});
    ws_endpoint endpoint;
    if (!upgrade_.echo)
      endpoint.subprotocols = subprotocols;
    endpoint.deflate = front_.options().compression;
    handshake_ = decide_ws_handshake(request_.ws(), endpoint);
    if (handshake_.status != 101)
      return refuse_with(
        {handshake_.status, handshake_.error, std::move(handshake_.message)});
    upgrade_.deflate = handshake_.deflate;
    if (handshake_.subprotocol == subprotocol(codec::json))
      upgrade_.encoding = codec::json;
    return true;
  }

  bool is_ready() {
    auto refusal = check_ready(front_);
    return !refusal || refuse_with(std::move(*refusal));
  }

  /// Before anything that costs.
  bool check_load() {
    return pass(front_.check_load());
  }

  bool check_origin() {
    return is_origin_allowed(request_.origin, request_.host, front_.origins())
           || refuse_with({403, "forbidden_origin",
                           "Pages of this origin may not connect here."});
  }

  /// Asks the application where it wants to be asked and a token or a client's
  /// certificate came along.
  bool authenticate() {
    auto& rights = front_.options().rights;
    auto& ask = rights.authenticate;
    credentials shown;
    if (!take_token(shown.token))
      return refuse_with(
        {400, "bad_request", "The query's token is not percent-encoded."});
    if (!front_.options().tls.names_users)
      certificate_ = {};
    if (!ask) {
      if (!certificate_.empty())
        upgrade_.who = {
          std::string{certificate_}, {}, peer_.certificate_expires_ms, nullptr};
      return true;
    }
    if (shown.token.empty() && certificate_.empty()) {
      if (rights.anonymous) {
        upgrade_.who = *rights.anonymous;
        upgrade_.authenticated = true;
      }
      return true;
    }
    shown.certificate = certificate_;
    shown.address = upgrade_.address;
    try {
      auto who = ask(shown);
      if (who) {
        upgrade_.who = std::move(*who);
        upgrade_.authenticated = true;
        // It counts no longer than the certificate that it rests on.
        if (auto& end = upgrade_.who.expires_ms; shown.token.empty())
          end = end == 0 ? peer_.certificate_expires_ms
                         : std::min(end, peer_.certificate_expires_ms);
        return true;
      }
      if (errc_of(who.error()) == errc::token_expired)
        return refuse_with(make_refusal(errc::token_expired, 401));
    } catch (...) {
      // Counts as a refusal, as does everything below.
    }
    return refuse_with(make_refusal(errc::unauthenticated, 401));
  }

  /// Sets `token` to the one that came with the request: the header's, else
  /// the query's, else the cookie's.
  bool take_token(std::string& token) const {
    constexpr std::string_view scheme = "Bearer ";
    auto shown = std::string_view{request_.authorization};
    if (equal_ignoring_case(shown.substr(0, scheme.size()), scheme)) {
      shown.remove_prefix(scheme.size());
      shown.remove_prefix(std::min(shown.find_first_not_of(' '), shown.size()));
      token = shown;
      return true;
    }
    auto decoded = percent_decode(query_value(query_, "token"));
    if (!decoded)
      return false;
    token = std::move(*decoded);
    if (auto& name = front_.options().token_cookie;
        token.empty() && !name.empty())
      token = cookie_value(request_.cookie, name);
    return true;
  }

  /// Before a token is looked at, which is what costs. With TLS that was done
  /// before, unless a proxy speaks it.
  bool take_handshake() {
    if (peer_.encrypted && upgrade_.address == peer_.address)
      return true;
    return pass(front_.take_handshake(upgrade_.address));
  }

  bool admit() {
    auto hit = front_.admit(upgrade_.address);
    // Where nothing but a place is missing, it may wait for one.
    waits_ = hit && hit->what == limit_kind::connections
             && front_.options().accept_wait.count() > 0;
    return waits_ || pass(hit);
  }

  bool pass(const std::optional<limit_hit>& hit) {
    return !hit || refuse_with(make_refusal(*hit));
  }

  http_reply accepted() {
    http_reply result;
    result.status = 101;
    result.head = to_http(handshake_);
    result.close = false;
    result.upgrade = std::move(upgrade_);
    result.waits = waits_;
    return result;
  }

  bool refuse_with(http_refusal refusal) {
    refusal_ = std::move(refusal);
    return false;
  }

  const http_request& request_;
  std::string_view query_;
  http_front& front_;
  const http_peer& peer_;
  std::string_view certificate_;
  ws_handshake handshake_;
  ws_upgrade upgrade_;
  bool waits_ = false;
  http_refusal refusal_;
};

} // namespace

http_reply answer_upgrade(const http_upgrade_request& asked,
                          http_front& front) {
  return upgrade_decision{asked, front}.make_reply();
}

http_reply refuse_upgrade(http_refusal refusal, http_front& front) {
  if (refusal.status == 503)
    refusal.urls = front.elsewhere();
  return to_reply(refusal);
}

} // namespace callboard::net
