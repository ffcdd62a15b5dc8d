#include <callboard/net/admin_caller.hpp>

#include <chrono>
#include <utility>

#include <callboard/messages/close_code.hpp>
#include <callboard/net/admin_json.hpp>
#include <callboard/net/http_target.hpp>
#include <callboard/net/log.hpp>

namespace callboard::net {

namespace {

// Longer than the node's head takes for all of a page.
constexpr auto answer_timeout = std::chrono::seconds{5};

constexpr auto kicked = static_cast<uint16_t>(close_code::kicked);

std::string reason() {
  return std::string{to_string(close_code::kicked)};
}

http_content bad_query(const char* takes) {
  return error_content(400, info(errc::bad_payload).name, takes);
}

} // namespace

admin_caller::admin_caller(caf::actor_config& cfg, caf::execution_unit* loop,
                           setup x)
  : super{cfg, loop}, setup_{std::move(x)} {
}

caf::behavior admin_caller::make_behavior() {
  // It is called, and gets answers; without any behavior it would end.
  return caf::behavior{[](unwatch_atom) {}};
}

void admin_caller::on_exit() {
  setup_ = {};
}

void admin_caller::serve(const http_request& x, const http_desk::reply& f) {
  auto [path, query] = split_http_target(x.target);
  auto call = find_admin_call(path);
  switch (call.what) {
    case admin_endpoint::node:
      return f(json_content(setup_.node_json()));
    case admin_endpoint::cluster:
      return tell_cluster(f);
    case admin_endpoint::connections:
      return list_connections(query, f);
    case admin_endpoint::topics:
      return list_topics(query, f);
    case admin_endpoint::publish:
      return publish(read_publish(x.body, setup_.isolated), f);
    case admin_endpoint::push:
      return push(read_push(x.body, setup_.isolated), f);
    case admin_endpoint::close_connection:
      return close_connection(call.connection, f);
    case admin_endpoint::close_user:
      return close_user(read_user(call.user, query, setup_.isolated), f);
    case admin_endpoint::log_level:
      return log_level(x, f);
    case admin_endpoint::none:
      break;
  }
  f(error_content(404, "not_found", "There is nothing at this path."));
}

template <class Result, class... Ts>
void admin_caller::ask(const http_desk::reply& f, Ts&&... xs) {
  request(setup_.head, answer_timeout, std::forward<Ts>(xs)...)
    .then([f](const Result& x) { f(json_content(to_json(x))); },
          [f](const caf::error& why) { f(error_content(why)); });
}

void admin_caller::tell_cluster(const http_desk::reply& f) {
  if (!setup_.gate)
    return f(json_content(no_cluster_json()));
  request(setup_.gate, answer_timeout, lookup_atom_v)
    .then([f](const cluster_facts& x) { f(json_content(to_json(x))); },
          [f](const caf::error& why) { f(error_content(why)); });
}

void admin_caller::list_connections(std::string_view query,
                                    const http_desk::reply& f) {
  if (auto x = read_connection_query(query, setup_.isolated))
    ask<connection_page>(f, lookup_atom_v, std::move(*x));
  else
    f(bad_query("The query takes limit (1 to 1000), after (a connection's id) "
                "and user; with tenant-isolation also the user's tenant."));
}

void admin_caller::list_topics(std::string_view query,
                               const http_desk::reply& f) {
  if (auto x = read_topic_query(query, setup_.isolated))
    ask<topic_page>(f, lookup_atom_v, std::move(*x));
  else
    f(bad_query("The query takes limit (1 to 1000), after (a topic) and "
                "pattern; with tenant-isolation also tenant."));
}

void admin_caller::publish(std::optional<admin_publication> x,
                           const http_desk::reply& f) {
  if (fits(x,
           "It takes {topic, payload, id?, key?}; with tenant-isolation also "
           "tenant.",
           f))
    ask<position>(f, publish_atom_v, std::move(x->target),
                  std::move(x->payload), std::move(x->options));
}

void admin_caller::push(std::optional<admin_publication> x,
                        const http_desk::reply& f) {
  if (fits(x,
           "It takes {user, payload}; with tenant-isolation also the user's "
           "tenant.",
           f))
    ask<position>(f, push_atom_v, std::move(x->target), std::move(x->payload));
}

bool admin_caller::fits(const std::optional<admin_publication>& x,
                        const char* takes, const http_desk::reply& f) const {
  if (!x) {
    f(error_content(400, info(errc::bad_payload).name, takes));
    return false;
  }
  if (x->payload.bytes().size() > setup_.payload_bytes_max) {
    f(error_content(caf::make_error(errc::frame_too_large)));
    return false;
  }
  return true;
}

void admin_caller::close_connection(connection_id who,
                                    const http_desk::reply& f) {
  request(setup_.head, answer_timeout, close_atom_v, who, kicked, reason())
    .then([f] { f(json_content(closed_json(1))); },
          [f](const caf::error& why) {
            if (why == errc::no_responder)
              f(error_content(404, "not_found",
                              "There is no such connection."));
            else
              f(error_content(why));
          });
}

void admin_caller::close_user(const std::optional<std::string>& user,
                              const http_desk::reply& f) {
  if (!user)
    return f(bad_query("The query takes the user's tenant, with "
                       "tenant-isolation."));
  request(setup_.head, answer_timeout, close_atom_v, *user, kicked, reason())
    .then([f](uint64_t n) { f(json_content(closed_json(n))); },
          [f](const caf::error& why) { f(error_content(why)); });
}

void admin_caller::log_level(const http_request& x, const http_desk::reply& f) {
  auto& options = setup_.options;
  if (!options.log_level || !options.set_log_level)
    return f(error_content(404, "not_found", "The log is the application's."));
  if (x.method == "PUT") {
    auto level = read_log_level(x.body);
    if (!level || !set_log_level(*level))
      return f(error_content(400, info(errc::bad_payload).name,
                             "It takes {level}: debug, info, warn, error or "
                             "off."));
  }
  f(json_content(level_json(options.log_level())));
}

bool admin_caller::set_log_level(const std::string& level) const {
  auto& options = setup_.options;
  if (auto before = options.log_level(); before != level)
    logger("net")->warn("log_level_set from={} to={}", before, level);
  return options.set_log_level(level);
}

} // namespace callboard::net
