#include <callboard/net/client.hpp>

#include <algorithm>
#include <random>

#include <caf/sec.hpp>

#include <callboard/messages/errc.hpp>
#include <callboard/messages/frame_reader.hpp>
#include <callboard/net/backoff.hpp>
#include <callboard/net/client_error.hpp>
#include <callboard/net/client_session.hpp>
#include <callboard/net/client_transport.hpp>

namespace callboard::net {

namespace {

// A connection that lived so long was a good one: the next wait is short.
constexpr auto stable_after = std::chrono::seconds{10};

// Longest wait that a server may ask for.
constexpr uint64_t wait_ms_max = 3'600'000;

struct welcome_payload {
  std::string connection;
  std::string node;
  std::optional<std::string> user;
  uint64_t ping_timeout_ms = 90'000;
  uint64_t ping_interval_ms = 30'000;
  uint64_t frame_bytes_max = 64 * 1024;
  uint64_t inflight_max = 256;
  MSGPACK_DEFINE_MAP(connection, node, user,
                     MSGPACK_NVP("pingTimeoutMs", ping_timeout_ms),
                     MSGPACK_NVP("pingIntervalMs", ping_interval_ms),
                     MSGPACK_NVP("frameBytesMax", frame_bytes_max),
                     MSGPACK_NVP("inflightMax", inflight_max))
};

struct goaway {
  std::string reason;
  std::string reconnect = "backoff";
  uint64_t after_ms = 0;
  uint64_t spread_ms = 0;
  MSGPACK_DEFINE_MAP(reason, reconnect, MSGPACK_NVP("afterMs", after_ms),
                     MSGPACK_NVP("spreadMs", spread_ms))
};

caf::timespan bounded_ms(uint64_t ms) {
  return std::chrono::milliseconds{std::min(ms, wait_ms_max)};
}

int64_t unix_time_ms() {
  using namespace std::chrono;
  auto now = system_clock::now().time_since_epoch();
  return duration_cast<milliseconds>(now).count();
}

} // namespace

class client::impl : public client_transport::listener {
public:
  using clock = std::chrono::steady_clock;

  impl(client_options options, client_handlers handlers)
    : options_{std::move(options)},
      handlers_{std::move(handlers)},
      work_{asio::make_work_guard(context_)},
      connect_timer_{context_},
      retry_timer_{context_},
      deadline_timer_{context_},
      random_{std::random_device{}()},
      backoff_{[this] { return random(); }, options_.backoff_base,
               options_.backoff_cap},
      reader_{codec::msgpack},
      session_{std::make_shared<client_session>(options_, handlers_,
                                                [] { return clock::now(); })} {
  }

  ~impl() override {
    if (transport_)
      transport_->drop();
  }

  void connect() {
    if (state_ != client_state::disconnected
        && state_ != client_state::retry_pending)
      return;
    state_ = client_state::connecting;
    goaway_.reset();
    refusal_ = {};
    transport_ = make_client_transport(context_, options_, *this);
    transport_->open();
    connect_timer_.expires_after(
      std::chrono::duration_cast<clock::duration>(options_.connect_timeout));
    connect_timer_.async_wait([this](const error_code& ec) {
      if (ec || state_ != client_state::connecting)
        return;
      transport_->drop();
      on_closed({1006, caf::make_error(caf::sec::connection_timeout,
                                       options_.server.authority()
                                         + " did not answer in time")});
    });
  }

  void stop() {
    stopping_ = true;
    if (state_ == client_state::connected) {
      transport_->close(static_cast<uint16_t>(close_code::normal));
      return;
    }
    if (transport_)
      transport_->drop();
    end({});
  }

  // Sets the timer for what the session has to do next.
  void arm() {
    auto next = session_->next_deadline();
    if (!next || (armed_ && *armed_ <= *next))
      return;
    armed_ = next;
    deadline_timer_.expires_at(*next);
    deadline_timer_.async_wait([this](const error_code& ec) {
      if (ec)
        return;
      armed_.reset();
      session_->expire();
      arm();
    });
  }

  // -- what the transport tells -----------------------------------------------

  void on_open() override {
    // The server speaks first.
  }

  void on_message(std::string_view message) override {
    reader_.reset(message);
    frame_view x;
    for (;;) {
      switch (reader_.next(x)) {
        case read_status::frame:
          on_frame(x);
          break;
        case read_status::unknown_type:
          break;
        case read_status::malformed:
          tell(caf::make_error(errc::malformed_frame,
                               "the server sent something that is no frame: "
                                 + std::string{reader_.reason()}));
          [[fallthrough]];
        case read_status::end:
          arm();
          return;
      }
    }
  }

  void on_closed(close_report report) override {
    auto was_connected = state_ == client_state::connected;
    connect_timer_.cancel();
    // It may be in the middle of calling us.
    asio::post(context_, [gone = std::move(transport_)] {});
    transport_ = nullptr;
    if (was_connected && clock::now() - connected_at_ >= stable_after)
      backoff_.reset();
    state_ = client_state::disconnected;
    session_->disconnected();
    if (stopping_)
      return end({});
    if (refusal_)
      report.why = std::move(refusal_);
    if (!options_.reconnect || report.advice == reconnect_advice::never
        || (goaway_ && goaway_->reconnect == "never")) {
      if (handlers_.on_disconnected)
        handlers_.on_disconnected({report.why, report.code, std::nullopt});
      return end(std::move(report.why));
    }
    auto wait = next_wait(report);
    state_ = client_state::retry_pending;
    retry_timer_.expires_after(
      std::chrono::duration_cast<clock::duration>(wait));
    retry_timer_.async_wait([this](const error_code& ec) {
      if (!ec)
        connect();
    });
    if (handlers_.on_disconnected)
      handlers_.on_disconnected({report.why, report.code, wait});
    arm();
  }

  // -- state that the client's functions use ----------------------------------

  asio::io_context context_{1};
  client_options options_;
  client_handlers handlers_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  asio::steady_timer connect_timer_;
  asio::steady_timer retry_timer_;
  asio::steady_timer deadline_timer_;
  std::minstd_rand random_;
  backoff backoff_;
  frame_reader reader_;
  std::shared_ptr<client_session> session_;
  std::shared_ptr<client_transport> transport_;
  client_state state_ = client_state::disconnected;
  clock::time_point connected_at_;
  // What `deadline_timer_` is set to.
  std::optional<clock::time_point> armed_;
  std::optional<goaway> goaway_;
  // Why the server did not let us in, before it closes.
  caf::error refusal_;
  caf::error end_;
  bool stopping_ = false;

private:
  double random() {
    return std::uniform_real_distribution<double>{0, 1}(random_);
  }

  caf::timespan next_wait(const close_report& report) {
    if (!goaway_)
      return report.retry_after + backoff_.next();
    auto after = bounded_ms(goaway_->after_ms);
    auto spread = bounded_ms(goaway_->spread_ms);
    auto part = caf::timespan{
      static_cast<caf::timespan::rep>(random() * double(spread.count()))};
    return goaway_->reconnect == "now" ? after + part
                                       : after + part + backoff_.next();
  }

  void on_frame(const frame_view& x) {
    if (state_ == client_state::connected) {
      if (x.type == frame_type::goaway)
        on_goaway(x);
      else
        session_->handle(x);
    } else if (x.type == frame_type::welcome) {
      on_welcome(x);
    } else if (x.type == frame_type::error) {
      refusal_ = to_error(x);
    } else if (x.type == frame_type::goaway) {
      on_goaway(x);
    }
  }

  void on_welcome(const frame_view& x) {
    auto said = payload{x.payload}.get_as<welcome_payload>().value_or(
      welcome_payload{});
    state_ = client_state::connected;
    connected_at_ = clock::now();
    connect_timer_.cancel();
    transport_->set_limits(said.frame_bytes_max, bounded_ms(std::max<uint64_t>(
                                                   said.ping_timeout_ms, 1)));
    if (handlers_.on_connected)
      handlers_.on_connected({said.connection, said.node,
                              said.user.value_or(""), said.ping_interval_ms,
                              said.ping_timeout_ms, said.frame_bytes_max,
                              said.inflight_max});
    session_->connected(
      [transport = transport_](const frame_view& frame) {
        auto stamped = frame;
        stamped.timestamp = unix_time_ms();
        return transport->send(stamped);
      },
      said.inflight_max);
    arm();
  }

  void on_goaway(const frame_view& x) {
    goaway_ = payload{x.payload}.get_as<goaway>().value_or(goaway{});
    session_->pause();
  }

  void tell(const caf::error& why) {
    if (handlers_.on_error)
      handlers_.on_error(why);
  }

  // Ends the client for good; without a reason, because it was stopped.
  void end(caf::error why) {
    state_ = client_state::disconnected;
    session_->give_up(why ? why : caf::make_error(errc::cancelled));
    end_ = std::move(why);
    connect_timer_.cancel();
    retry_timer_.cancel();
    work_.reset();
    context_.stop();
  }
};

// -- client -------------------------------------------------------------------

client::client(client_options options, client_handlers handlers)
  : impl_{std::make_unique<impl>(std::move(options), std::move(handlers))} {
}

client::~client() = default;

void client::start() {
  asio::post(impl_->context_, [x = impl_.get()] { x->connect(); });
}

caf::error client::run() {
  impl_->context_.run();
  return impl_->end_;
}

void client::stop() {
  asio::post(impl_->context_, [x = impl_.get()] { x->stop(); });
}

void client::post(std::function<void()> f) {
  asio::post(impl_->context_, std::move(f));
}

asio::io_context& client::context() noexcept {
  return impl_->context_;
}

client_state client::state() const noexcept {
  return impl_->state_;
}

size_t client::pending() const noexcept {
  return impl_->session_->pending();
}

void client::subscribe(std::string subject, event_handler on_event,
                       result_handler<position> done) {
  impl_->session_->subscribe(std::move(subject), std::move(on_event),
                             std::move(done));
  impl_->arm();
}

void client::unsubscribe(const std::string& subject,
                         result_handler<void> done) {
  impl_->session_->unsubscribe(subject, std::move(done));
  impl_->arm();
}

void client::join(std::string topic, member_options options,
                  member_handler on_event, result_handler<position> done) {
  impl_->session_->join(std::move(topic), std::move(options),
                        std::move(on_event), std::move(done));
  impl_->arm();
}

void client::leave(const std::string& topic, const std::string& group,
                   result_handler<void> done) {
  impl_->session_->leave(topic, group, std::move(done));
  impl_->arm();
}

void client::publish(std::string topic, payload x, publish_options options,
                     result_handler<position> done) {
  impl_->session_->publish(std::move(topic), std::move(x), std::move(options),
                           std::move(done));
  impl_->arm();
}

void client::request(std::string action, payload x, caf::timespan timeout,
                     result_handler<payload> done) {
  impl_->session_->request(std::move(action), std::move(x), timeout,
                           std::move(done));
  impl_->arm();
}

void client::respond(std::string action, request_handler on_request,
                     result_handler<void> done) {
  impl_->session_->respond(std::move(action), std::move(on_request),
                           std::move(done));
  impl_->arm();
}

void client::stop_responding(const std::string& action,
                             result_handler<void> done) {
  impl_->session_->stop_responding(action, std::move(done));
  impl_->arm();
}

} // namespace callboard::net
