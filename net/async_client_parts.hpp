#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <callboard/messages/errc.hpp>
#include <callboard/net/async_client.hpp>
#include <callboard/net/client_core.hpp>
#include <callboard/net/client_inbox.hpp>

namespace callboard::net {

/// One operation's way to its end: by its answer, its time or a wish to stop,
/// whichever comes first. Belongs to the client's strand.
template <class T>
class bounded_call : public std::enable_shared_from_this<bounded_call<T>> {
public:
  bounded_call(std::weak_ptr<client_core> core, result_handler<T> done)
    : core_{std::move(core)}, done_{std::move(done)} {
  }

  [[nodiscard]] bool is_over() const noexcept {
    return !done_;
  }

  /// Hands on the result; does nothing the second time.
  void finish(caf::expected<T> x) {
    if (!done_)
      return;
    auto f = std::exchange(done_, nullptr);
    stop_.reset();
    timer_.reset();
    take_back_ = nullptr;
    f(std::move(x));
  }

  /// Sets the bounds, once the operation has begun.
  /// @param take_back undoes it as far as that can be.
  void bound(const call_options& x, std::function<void()> take_back) {
    auto core = core_.lock();
    if (!done_ || !core)
      return;
    take_back_ = std::move(take_back);
    std::weak_ptr<bounded_call> weak = this->shared_from_this();
    if (x.timeout.count() > 0) {
      timer_.emplace(core->executor());
      timer_->expires_after(
        std::chrono::duration_cast<client_core::clock::duration>(x.timeout));
      timer_->async_wait([weak](const error_code& ec) {
        auto self = weak.lock();
        if (self && !ec)
          self->end(errc::timeout);
      });
    }
    if (x.stop.stop_possible())
      stop_.emplace(x.stop, [weak, core = core_] {
        auto runs = core.lock();
        if (!runs)
          return;
        runs->post([weak](client_core&) {
          if (auto self = weak.lock())
            self->end(errc::cancelled);
        });
      });
  }

private:
  void end(errc why) {
    auto keep = this->shared_from_this();
    auto take_back = std::exchange(take_back_, nullptr);
    finish(caf::make_error(why));
    if (take_back)
      take_back();
    if (auto core = core_.lock())
      core->arm();
  }

  // Not held: what waits is held by the core.
  std::weak_ptr<client_core> core_;
  result_handler<T> done_;
  std::function<void()> take_back_;
  std::optional<asio::steady_timer> timer_;
  std::optional<std::stop_callback<std::function<void()>>> stop_;
};

/// What the copies of a subscription share. Belongs to the strand, but for
/// what never changes.
class async_subscription::state {
public:
  using notes = std::vector<presence_note>;

  state(const std::shared_ptr<client_core>& core, std::string subject,
        size_t size_max)
    : core{core},
      executor{core->executor()},
      subject{std::move(subject)},
      events{size_max},
      presence{size_max} {
  }

  ~state();

  void on_event(const event_view& x);

  void on_presence(const presence_view& x);

  /// Says that events are missing before the next one.
  void on_gap(std::string_view reason);

  /// Takes nothing more, because the subscription is no more.
  void close(const caf::error& why);

  /// Forgets who waits, because nothing runs any more.
  void abandon();

  const std::weak_ptr<client_core> core;
  const asio::any_io_executor executor;
  const std::string subject;
  subscribed first;
  /// Whether the session has it.
  bool standing = false;
  client_inbox<delivery> events;
  client_inbox<notes> presence;

private:
  // Why something is missing before what comes next; empty: nothing is.
  std::string gap_;
};

/// What an `async_client` has on its strand.
class async_client::impl : public std::enable_shared_from_this<impl> {
public:
  using state_ptr = std::shared_ptr<async_subscription::state>;

  static std::shared_ptr<impl> make(const asio::any_io_executor& executor,
                                    client_options options,
                                    client_handlers handlers);

  ~impl();

  void subscribe(std::string subject, async_subscribe_options options,
                 const call_options& bounds,
                 result_handler<async_subscription> done);

  void connect(const call_options& bounds, result_handler<welcome> done);

  void close(result_handler<void> done);

  [[nodiscard]] client_session& session() noexcept {
    return core->session();
  }

  std::shared_ptr<client_core> core;

private:
  // Puts ourselves between the link and the application's handlers.
  client_handlers listen(client_handlers handlers);

  // Returns the subscription to this; null if there is none.
  state_ptr find(const std::string& subject);

  void on_ended(const caf::error& why);

  std::map<std::string, std::weak_ptr<async_subscription::state>>
    subscriptions_;
  std::vector<std::shared_ptr<bounded_call<welcome>>> connecting_;
  std::vector<result_handler<void>> closing_;
  // Of the connection that is there.
  std::optional<welcome> welcome_;
};

} // namespace callboard::net
