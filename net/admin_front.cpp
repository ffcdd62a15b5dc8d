#include <callboard/net/admin_front.hpp>

#include <algorithm>
#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/telemetry/metric_registry.hpp>

#include <callboard/actors/as_caf.hpp>
#include <callboard/net/client_error.hpp>
#include <callboard/net/http_stream.hpp>
#include <callboard/net/http_target.hpp>
#include <callboard/net/log.hpp>
#include <callboard/net/url.hpp>

namespace callboard::net {

namespace {

constexpr const char* result_names[admin_result_count] = {
  "answered", "unauthenticated", "forbidden", "refused", "failed", "sessions"};

// What operators see beside `/api`: metrics, whether or not clients do.
server_options make_options(const server_options& x) {
  server_options result;
  result.node = x.node;
  result.request_timeout = x.request_timeout;
  result.admin = x.admin;
  return result;
}

admin_result result_of(unsigned status) noexcept {
  if (status < 400)
    return admin_result::answered;
  if (status == 401)
    return admin_result::unauthenticated;
  if (status == 403)
    return admin_result::forbidden;
  return status < 500 ? admin_result::refused : admin_result::failed;
}

// Returns whether a request changes something else than topics.
bool is_intervention(const http_request& x, admin_endpoint what) noexcept {
  return x.method != "GET" && what != admin_endpoint::publish
         && what != admin_endpoint::push;
}

// Writes down who was closed, and the like.
http_desk::reply logged(const http_request& x, http_desk::reply f) {
  auto path = std::string{split_http_target(x.target).path};
  if (!is_intervention(x, find_admin_call(path).what))
    return f;
  // No path ends its quotes.
  std::ranges::replace(path, '"', '\'');
  return [f = std::move(f), path, method = x.method](http_content answer) {
    logger("net")->info("admin_request method={} path=\"{}\" status={}", method,
                        path, answer.status);
    f(std::move(answer));
  };
}

} // namespace

admin_counters make_admin_counters(caf::telemetry::metric_registry& registry) {
  admin_counters result;
  auto* family = registry.counter_family("callboard", "admin-requests",
                                         {"result"},
                                         "Requests to the admin listener by "
                                         "what became of them.",
                                         "1", true);
  for (size_t i = 0; i < admin_result_count; ++i)
    result[i] = family->get_or_add({{"result", as_caf(result_names[i])}});
  return result;
}

// -- entrance -----------------------------------------------------------------

caf::expected<admin_entrance>
admin_entrance::open(const admin_options& options) {
  admin_entrance result;
  if (!options.enabled)
    return result;
  if (!options.key_file.empty()) {
    auto key = read_admin_key(options.key_file);
    if (!key)
      return std::move(key.error());
    result.key = std::move(*key);
  }
  auto descriptor = listener::bind(options.address, options.port);
  if (descriptor)
    result.socket = std::make_unique<bound_socket>(*descriptor);
  else if (!options.optional)
    return std::move(descriptor.error());
  else
    logger("net")->warn("admin_off reason=\"{}\"",
                        details(descriptor.error()).sentence);
  return result;
}

// -- starting and ending ------------------------------------------------------

admin_front::admin_front(server_context& shared, loop_service& home,
                         const server_handle& head, caf::actor gate,
                         admin_entrance entrance)
  : home_{home},
    options_{make_options(shared.options)},
    url_{"http://"
         + net::url{options_.admin.address,
                    listener::port_of(entrance.socket->get())}
             .authority()
         + '/'},
    gate_{std::move(entrance.key), is_loopback(options_.admin.address)},
    node_{shared},
    counters_{make_admin_counters(shared.system.metrics())},
    sockets_{shared.other_sockets},
    // One more, for `open_session` to count it.
    sessions_{sessions_max + 1},
    listener_{home.loop(), entrance.socket->release(),
              [this](int descriptor) { accept(descriptor); }} {
  admin_caller::setup setup;
  setup.head = head;
  setup.gate = std::move(gate);
  setup.options = options_.admin;
  setup.node_json = [this] { return to_json(node_.facts()); };
  setup.payload_bytes_max = options_.node.frame_bytes_max;
  setup.isolated = options_.node.tenant_isolation;
  caller_ = spawn_hosted<admin_caller, caf::lazy_init>(shared.system,
                                                       &home.loop(),
                                                       std::move(setup));
  caller_object_ = static_cast<admin_caller*>(
    caf::actor_cast<caf::abstract_actor*>(caller_));
}

admin_front::~admin_front() = default;

void admin_front::start() {
  listener_.start();
  logger("net")->info("admin_listening url={}", url_);
}

void admin_front::stop() {
  if (std::exchange(stopped_, true))
    return;
  listener_.stop();
  sessions_.close_all();
  caf::anon_send_exit(caller_, caf::exit_reason::kill);
}

caf::expected<std::function<void()>> admin_front::reload() {
  std::string key;
  if (auto& file = options_.admin.key_file; !file.empty()) {
    auto fresh = read_admin_key(file);
    if (!fresh)
      return std::move(fresh.error());
    key = std::move(*fresh);
  }
  std::function<void()> commit = [this, key] {
    home_.loop().post([this, key] { gate_.set_key(key); });
  };
  return commit;
}

void admin_front::accept(int descriptor) {
  if (auto socket = adopt_socket(home_.loop().io(), descriptor))
    serve_http(std::move(*socket), *this, sessions_);
}

// -- http_front ---------------------------------------------------------------

bool admin_front::open_session(std::string_view) {
  if (sessions_.size() >= sessions_max) {
    count(admin_result::sessions);
    // Silent sockets must not keep operators out.
    if (!sessions_.end_oldest_idle())
      return false;
  }
  ++*sockets_;
  return true;
}

void admin_front::close_session(std::string_view) {
  --*sockets_;
}

std::optional<limit_hit> admin_front::admit(std::string_view) {
  return limit_hit{limit_kind::connections};
}

void admin_front::count_reply(unsigned status) {
  count(result_of(status));
}

void admin_front::count(admin_result x) {
  counters_[static_cast<size_t>(x)]->inc();
}

// -- http_desk ----------------------------------------------------------------

std::optional<http_content> admin_front::check(const http_request& x) {
  auto is_call = takes(x);
  auto secret = is_call || split_http_target(x.target).path == "/metrics";
  if (auto refusal = gate_.check(x, secret))
    return to_content(*refusal);
  if (!is_call)
    return {};
  return check_admin_request(x,
                             options_.node.frame_bytes_max + body_bytes_beside);
}

bool admin_front::takes(const http_request& x) {
  return is_admin_path(split_http_target(x.target).path);
}

void admin_front::serve(http_request x, reply f) {
  f = logged(x, std::move(f));
  // An answer that is there already stays.
  if (!caller_object_->enter([&] { caller_object_->serve(x, f); }))
    f(error_content(503, "unavailable", "This part of the node is gone."));
}

} // namespace callboard::net
