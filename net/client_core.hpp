#pragma once

#include <functional>
#include <memory>
#include <optional>

#include <caf/error.hpp>

#include <callboard/net/boost/asio.hpp>
#include <callboard/net/client_link.hpp>
#include <callboard/net/client_options.hpp>
#include <callboard/net/client_types.hpp>

namespace callboard::net {

/// What the faces of the client share: a link on sockets and a timer. All of it
/// belongs to one executor, which runs one thing at a time: that of an
/// io_context with one thread, or a strand.
class client_core : public std::enable_shared_from_this<client_core> {
public:
  using clock = client_link::clock;

  /// @param ended see `client_link::surroundings`.
  static std::shared_ptr<client_core>
  make(asio::any_io_executor executor, client_options options,
       client_handlers handlers, std::function<void(const caf::error&)> ended);

  client_core(const client_core&) = delete;

  client_core& operator=(const client_core&) = delete;

  ~client_core();

  [[nodiscard]] const asio::any_io_executor& executor() const noexcept {
    return executor_;
  }

  /// Calls `f` on the executor, later. Any thread.
  void post(std::function<void(client_core&)> f);

  /// Ends the connection at once. Nobody hears of that.
  void drop();

  [[nodiscard]] client_link& link() noexcept {
    return *link_;
  }

  [[nodiscard]] client_session& session() noexcept {
    return link_->session();
  }

  /// Sets the timer for what is due next; to be called behind everything that
  /// was done with link or session.
  void arm();

private:
  explicit client_core(asio::any_io_executor executor);

  // Lets a token come back on the executor, whatever thread it comes from.
  void bring_home(client_options& options);

  asio::any_io_executor executor_;
  asio::steady_timer timer_;
  // What `timer_` is set to.
  std::optional<clock::time_point> armed_;
  std::shared_ptr<client_link> link_;
};

} // namespace callboard::net
