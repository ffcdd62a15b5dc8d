#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <caf/actor.hpp>
#include <caf/event_based_actor.hpp>

#include <callboard/actors/hosted.hpp>
#include <callboard/actors/server_actor.hpp>
#include <callboard/net/admin_call.hpp>
#include <callboard/net/admin_options.hpp>
#include <callboard/net/http_desk.hpp>

namespace callboard::net {

/// Asks a node what operators ask. Called in its context by who has their
/// requests, on its loop's thread; it answers there as well, whoever of the
/// node answers it or does not.
class admin_caller : public hosted<caf::event_based_actor> {
public:
  using super = hosted<caf::event_based_actor>;

  /// What it goes by.
  struct setup {
    server_handle head;
    /// The cluster actor; an invalid handle: there is no cluster.
    caf::actor gate;
    admin_options options;
    /// Returns the answer to `GET /api/node`.
    std::function<std::string()> node_json;
    /// Largest payload in bytes of MessagePack.
    size_t payload_bytes_max = 0;
    /// Whether tenants are isolated.
    bool isolated = false;
  };

  admin_caller(caf::actor_config& cfg, caf::execution_unit* loop, setup x);

  const char* name() const override {
    return "callboard.admin-caller";
  }

  caf::behavior make_behavior() override;

  void on_exit() override;

  /// Answers a request that `check_admin_request` has let through.
  void serve(const http_request& x, const http_desk::reply& f);

private:
  void tell_cluster(const http_desk::reply& f);

  void list_connections(std::string_view query, const http_desk::reply& f);

  void list_topics(std::string_view query, const http_desk::reply& f);

  void publish(std::optional<admin_publication> x, const http_desk::reply& f);

  void push(std::optional<admin_publication> x, const http_desk::reply& f);

  void close_connection(connection_id who, const http_desk::reply& f);

  // @param user a full name; nothing if the query is wrong.
  void close_user(const std::optional<std::string>& user,
                  const http_desk::reply& f);

  void log_level(const http_request& x, const http_desk::reply& f);

  // Writes it down as long as it would be seen.
  // @returns false if there is no such level.
  [[nodiscard]] bool set_log_level(const std::string& level) const;

  // Returns whether there is something to publish; answers if not.
  [[nodiscard]] bool fits(const std::optional<admin_publication>& x,
                          const char* takes, const http_desk::reply& f) const;

  // Asks the node's head for a `Result` and answers with it.
  template <class Result, class... Ts>
  void ask(const http_desk::reply& f, Ts&&... xs);

  setup setup_;
};

} // namespace callboard::net
