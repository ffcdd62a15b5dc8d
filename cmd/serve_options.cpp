#include "serve_options.hpp"

#include <callboard/messages/topic.hpp>
#include <callboard/net/http_list.hpp>
#include <callboard/net/origins.hpp>
#include <callboard/net/trusted_proxies.hpp>

#include "cluster_settings.hpp"
#include "listen_settings.hpp"
#include "load_settings.hpp"
#include "units.hpp"
#include "upkeep_settings.hpp"

namespace callboard::cmd {

namespace {

using namespace std::chrono_literals;

setting echo_setting(net::server_options& x) {
  auto set = [&x](std::string_view text) -> std::string {
    if (text.empty() || text.front() != '/' || text == "/" || text == "/ws")
      return '\'' + std::string{text}
             + "' is not a free path; it takes one like /echo";
    x.echo_path = text;
    return {};
  };
  return {"echo",
          "PATH",
          "Path of a WebSocket whose messages come back as they are",
          "",
          "none",
          set,
          [&x] { return x.echo_path; }};
}

setting cookie_setting(std::string& x) {
  auto set = [&x](std::string_view text) -> std::string {
    if (!net::is_token(text))
      return '\'' + std::string{text}
             + "' is no name of a cookie; it takes letters, digits and "
               "!#$%&'*+-.^_`|~";
    x = text;
    return {};
  };
  return {"token-cookie",
          "NAME",
          "Name of a cookie that may be a token",
          "",
          "",
          set,
          [&x] { return x; }};
}

// What connections are encrypted with.
std::vector<setting> tls_settings(net::tls_options& x) {
  return {
    text_setting("tls-cert", "FILE",
                 "Speak TLS with the certificate in this PEM file, and those "
                 "that lead to its root\nbehind it; read again at SIGHUP",
                 x.certificate_file),
    text_setting("tls-key", "FILE", "Its private key, in PEM", x.key_file),
    text_setting("tls-client-ca", "FILE",
                 "Ask clients for certificates, and take those that these "
                 "vouch for",
                 x.client_ca_file),
    switch_setting("tls-client-required",
                   "Turn clients without a certificate away",
                   x.client_required),
    switch_setting("tls-client-user",
                   "The common name in a client's certificate is its user, "
                   "who needs no token",
                   x.names_users),
  };
}

setting user_setting(user_name& x) {
  auto set = [&x](std::string_view text) { return parse_user(text, x); };
  return {"user",
          "NAME[:GROUP]",
          "User to become once the port is bound and keys are read; takes root",
          "",
          "",
          set,
          [&x] { return x.group.empty() ? x.user : x.user + ':' + x.group; }};
}

std::string_view check_granted(std::string_view x) {
  auto error = check_pattern(x);
  return error == subject_error::reserved ? "" : to_sentence(error);
}

// Who is let in, and may do what.
std::vector<setting> access_settings(serve_options& x) {
  auto& s = x.server;
  auto& t = x.tokens;
  return {
    text_setting("token-key", "FILE",
                 "Let in who shows a JWT signed with one of these keys: public "
                 "keys in PEM, or a\nsecret for HS256. Without this and "
                 "token-jwks, everybody is let in",
                 t.key_file),
    text_setting("token-jwks", "FILE",
                 "The same with the keys of a JWK set; files are read again "
                 "when they change,\nand at SIGHUP",
                 t.jwks_file),
    text_setting("token-issuer", "TEXT",
                 "What a token's iss must be; without it, anything",
                 t.rules.issuer),
    text_setting("token-audience", "TEXT",
                 "What a token's aud must hold; without it, a token must have "
                 "none",
                 t.rules.audience),
    duration_setting("token-skew",
                     "How far the clock of who signs tokens may be off",
                     t.rules.skew, 0s, 10min),
    cookie_setting(s.token_cookie),
    switch_setting("tenant-isolation",
                   "Give each tenant that tokens name topics, users and actions"
                   " of its own",
                   s.node.tenant_isolation, true),
    list_setting("anonymous-sub-topics", "PATTERNS",
                 "Topics that clients without a token may subscribe to",
                 t.anonymous_sub_topics, check_granted),
    list_setting("anonymous-pub-topics", "PATTERNS",
                 "Topics that they may publish to", t.anonymous_pub_topics,
                 check_granted),
    list_setting("anonymous-actions", "PATTERNS",
                 "Actions that they may ask for. Without these three, every "
                 "client needs a token",
                 t.anonymous_actions, check_granted),
    live(list_setting(
      "allowed-origins", "ORIGINS",
      "Pages that may connect: https://HOST, https://*.DOMAIN, or "
      "* for all; without it,\nthose of the same host as the "
      "WebSocket's",
      s.origins, [](std::string_view y) { return net::check_origin_rule(y); })),
  };
}

// What one address, user or client may have of the node.
std::vector<setting> limit_settings(net::server_options& s) {
  constexpr size_t many = 1'000'000;
  auto& n = s.node;
  std::vector<setting> result{
    count_setting("address-connections-max",
                  "WebSocket connections at once of one IP address (v6: of 64 "
                  "bits); 0: no limit",
                  s.address_connections_max, 0, many),
    count_setting("address-sessions-max",
                  "HTTP sessions at once of one IP address; 0: no limit",
                  s.address_sessions_max, 0, many),
    count_setting("user-connections-max",
                  "Connections at once of one user; 0: no limit",
                  n.user_connections_max, 0, many),
    count_setting("tenant-connections-max",
                  "Connections at once of all users of one tenant; 0: no limit",
                  n.tenant_connections_max, 0, many),
    count_setting("handshakes-rate",
                  "WebSocket handshakes a second; 0: no limit",
                  s.handshakes.per_second, 0, many),
    count_setting("handshakes-burst",
                  "Of these at once after a rest; 0: as many as a second has",
                  s.handshakes.burst, 0, many),
    count_setting("address-handshakes-rate",
                  "WebSocket handshakes a second of one IP address; 0: no "
                  "limit",
                  s.address_handshakes.per_second, 0, many),
    count_setting("address-handshakes-burst",
                  "Of these at once after a rest; 0: as many as a second has",
                  s.address_handshakes.burst, 0, many),
    count_setting("frames-rate",
                  "Frames a second of one connection; 0: no limit",
                  n.frames.per_second, 0, many),
    count_setting("frames-burst",
                  "Of these at once after a rest; 0: as many as a second has",
                  n.frames.burst, 0, many),
    size_setting("bytes-rate",
                 "Bytes of messages a second of one connection; 0: no limit",
                 n.bytes.per_second, 0, 1024 * mib),
    size_setting("bytes-burst",
                 "Of these at once after a rest; 0: as many as a second has, "
                 "and frame-bytes-max at least",
                 n.bytes.burst, 0, 1024 * mib),
    count_setting("publishes-rate",
                  "Publications a second of one user, or of one connection "
                  "without a log-in; 0: no limit",
                  n.publishes.per_second, 0, many),
    count_setting("publishes-burst",
                  "Of these at once after a rest; 0: as many as a second has",
                  n.publishes.burst, 0, many),
  };
  for (auto& limit : result)
    limit.live = true;
  result.push_back(
    list_setting("trusted-proxies", "NETWORKS",
                 "Proxies whose X-Forwarded-For is believed: IP addresses, or "
                 "networks like 10.0.0.0/8",
                 s.trusted_proxies, net::check_proxy));
  return result;
}

} // namespace

std::vector<setting> serve_settings(serve_options& x) {
  auto& s = x.server;
  auto& n = x.server.node;
  std::vector<setting> result{
    listen_setting(s),
    count_setting("loops", "Threads that serve connections; 0 takes one a core",
                  s.loops, 0, 256),
    live(count_setting("max-connections", "WebSocket connections at once",
                       n.connections_max, 1, 1'000'000)),
    duration_setting("ping-interval",
                     "Time without traffic before a connection is pinged",
                     n.ping_interval, 100ms, 1h),
    duration_setting("ping-timeout",
                     "Time without a sign of life before a connection is "
                     "closed with 4000",
                     n.ping_timeout, 100ms, 24h),
    size_setting("frame-bytes-max", "Largest message from a client",
                 n.frame_bytes_max, 128, 16 * mib),
    size_setting("outbox-bytes-max",
                 "Bytes that may wait for one connection; beyond them it is "
                 "closed with 4002",
                 n.outbox_bytes_max, kib, 1024 * mib),
    live(
      count_setting("inflight-max",
                    "Requests of one connection that may wait for their answer",
                    n.inflight_max, 1, 65'535)),
    live(count_setting("subscriptions-max",
                       "Topics and patterns that one connection may have",
                       n.subscriptions_max, 1, 1'000'000)),
    live(count_setting("registrations-max",
                       "Actions that one connection may answer",
                       n.registrations_max, 1, 65'535)),
    count_setting("guarded-actions-max",
                  "Actions under a rule that each loop keeps count of; beyond "
                  "them those asked for longest ago begin anew",
                  n.guarded_actions_max, 1, 1'000'000),
    count_setting("topics-max", "Topics at once on each loop", n.topics_max, 1,
                  100'000'000),
    size_setting("shard-bytes-max",
                 "Bytes of publications that may wait on each loop; beyond "
                 "them a publish is answered 'overloaded'",
                 n.shard_bytes_max, 64 * kib, 64 * 1024 * mib),
    size_setting("history-bytes-max",
                 "Bytes of publications that all topics together may keep; "
                 "beyond them the histories used least recently give way",
                 n.history_bytes_max, 64 * kib, 1024 * 1024 * mib),
    size_setting("ids-bytes-max",
                 "Bytes of publish ids that all topics together may remember; "
                 "beyond them a topic that gets one forgets its oldest",
                 n.ids_bytes_max, 64 * kib, 1024 * 1024 * mib),
    count_setting("last-values-max",
                  "Last values that a new subscriber to a pattern gets; where "
                  "there are more it gets none of them",
                  n.last_values_max, 1, 1'000'000),
    count_setting("groups-max",
                  "Groups that share topics' events, at once on each loop",
                  n.groups_max, 1, 10'000'000),
    count_setting("topic-groups-max", "Groups at once that one topic may have",
                  n.topic_groups_max, 1, 10'000),
    count_setting("group-inflight-max",
                  "Events of a group that one member may have unconfirmed",
                  n.group_inflight_max, 1, 65'535),
    count_setting("group-pending-max", "Events that may wait in one group",
                  n.group_pending_max, 1, 1'000'000),
    size_setting("group-bytes-max",
                 "Bytes of events that wait or are unconfirmed in all groups",
                 n.group_bytes_max, 64 * kib, 1024 * 1024 * mib),
    count_setting("group-attempts-max",
                  "Times that an event is given to a member of a group before "
                  "it becomes a dead letter",
                  n.group_attempts_max, 1, 1000),
    duration_setting("group-ack-timeout",
                     "Time for a member to confirm an event before another "
                     "one gets it",
                     n.group_ack_timeout, 1ms, 24h),
    duration_setting("group-linger",
                     "Time for which a group without members keeps its place",
                     n.group_linger, 1s, 366 * 24h),
    duration_setting("topic-linger",
                     "Time for which a topic that nobody uses is kept",
                     n.topic_linger, 1s, 24h),
    duration_setting("presence-linger",
                     "Time for which a user stays in a topic after the last "
                     "connection is gone",
                     n.presence_linger, 0s, 1h),
    duration_setting("presence-interval",
                     "Least time between two tellings of who came to a topic "
                     "and who went",
                     n.presence_interval, 0s, 1min),
    duration_setting("connect-timeout",
                     "Time from a WebSocket's opening to its log-in",
                     n.connect_timeout, 100ms, 10min),
    duration_setting("idle-timeout",
                     "Time without a frame but heartbeats after which a "
                     "connection that waits for nothing\nis closed with 4001; "
                     "0s: never",
                     n.idle_timeout, 0s, 24h),
    duration_setting("connection-lifetime",
                     "Time after which a connection is closed with 4004, up to "
                     "a tenth less; 0s: never",
                     n.connection_lifetime, 0s, 366 * 24h),
    duration_setting("request-timeout", "Time for one whole HTTP request",
                     s.request_timeout, 100ms, 10min),
    duration_setting("drain-timeout",
                     "Time for connections to end after SIGTERM or SIGINT",
                     s.drain_timeout, 0s, 1h),
    text_setting("store-dir", "PATH",
                 "Folder of the store for topics with a durability; made if "
                 "need be",
                 s.store_dir),
    size_setting("store-bytes-max",
                 "Largest size of the store's file; 0 takes what the disk has",
                 s.store_bytes_max, 0, 16 * 1024 * 1024 * mib),
    switch_setting("compression",
                   "Negotiate permessage-deflate with clients that offer it",
                   s.compression),
    echo_setting(s),
    text_setting("node-name", "NAME",
                 "Name of this node, unique in its cluster; without one it is "
                 "random",
                 s.node_name),
    user_setting(x.user),
    switch_setting("no-page", "Do not serve the page at /", x.page, false),
    switch_setting("no-metrics", "Do not serve /metrics", s.metrics, false),
    live(choice_setting("log-level", "What is logged to standard error",
                        x.log_level,
                        {"debug", "info", "warn", "error", "off"})),
    choice_setting("log-format", "How it is written", x.log_format,
                   {"text", "json"}),
  };
  for (auto& list : {admin_settings(s.admin), limit_settings(s),
                     load_settings(s), tls_settings(s.tls), access_settings(x),
                     upkeep_settings(n), cluster_settings(s.cluster)})
    result.insert(result.end(), list.begin(), list.end());
  return result;
}

std::vector<std::string> need_restart(serve_options running,
                                      serve_options wanted) {
  std::vector<std::string> result;
  auto now = serve_settings(running);
  auto then = serve_settings(wanted);
  for (size_t i = 0; i < now.size(); ++i)
    if (!now[i].live && now[i].show && now[i].show() != then[i].show())
      result.push_back(now[i].name);
  return result;
}

std::string check(const serve_options& x) {
  auto& n = x.server.node;
  if (n.frame_bytes_max > n.outbox_bytes_max)
    return "frame-bytes-max (" + format_size(n.frame_bytes_max)
           + ") is larger than outbox-bytes-max ("
           + format_size(n.outbox_bytes_max)
           + "); a frame must fit into an outbox";
  if (n.ping_interval >= n.ping_timeout)
    return "ping-interval (" + format_duration(n.ping_interval)
           + ") is not shorter than ping-timeout ("
           + format_duration(n.ping_timeout)
           + "); a ping needs time to be answered";
  if (n.bytes.on() && n.bytes.burst > 0 && n.bytes.burst < n.frame_bytes_max)
    return "bytes-burst (" + format_size(n.bytes.burst)
           + ") is smaller than frame-bytes-max ("
           + format_size(n.frame_bytes_max)
           + "); a message of that size could never be sent";
  if (auto bytes = x.server.store_bytes_max; bytes != 0 && bytes < mib)
    return "store-bytes-max (" + format_size(bytes)
           + ") is smaller than 1MiB; 0 sets no limit";
  if (auto wrong = check_admin(x.server.admin); !wrong.empty())
    return wrong;
  if (auto wrong = check_cluster(x.server.cluster); !wrong.empty())
    return wrong;
  auto& tls = x.server.tls;
  if (tls.certificate_file.empty() != tls.key_file.empty())
    return "tls-cert and tls-key need each other";
  if (!tls.client_ca_file.empty() && !tls.enabled())
    return "tls-client-ca means nothing without tls-cert";
  if ((tls.client_required || tls.names_users) && tls.client_ca_file.empty())
    return "tls-client-required and tls-client-user mean nothing without "
           "tls-client-ca";
  // What was meant to keep people out must not let everybody in.
  auto& t = x.tokens;
  auto wants_keys = !t.rules.issuer.empty() || !t.rules.audience.empty()
                    || !x.server.token_cookie.empty()
                    || !t.anonymous_sub_topics.empty()
                    || !t.anonymous_pub_topics.empty()
                    || !t.anonymous_actions.empty();
  if (wants_keys && !t.has_keys())
    return "token-issuer, token-audience, token-cookie and the anonymous- "
           "settings mean nothing without token-key or token-jwks";
  return check_load(n.load);
}

} // namespace callboard::cmd
