#include <callboard/net/async_client.hpp>

#include <utility>

#include <callboard/net/async_client_parts.hpp>

namespace callboard::net {

namespace {

// Begins an operation of the session that has a number, within its bounds.
template <class T, class Begin>
void begin_call(const std::shared_ptr<client_core>& core,
                const call_options& bounds, result_handler<T> done,
                Begin begin) {
  auto call = std::make_shared<bounded_call<T>>(core, std::move(done));
  auto id = begin([call](caf::expected<T> x) { call->finish(std::move(x)); });
  call->bound(bounds, [weak = std::weak_ptr{core}, id] {
    if (auto self = weak.lock())
      self->session().cancel(id);
  });
}

} // namespace

// -- what is on the strand ----------------------------------------------------

std::shared_ptr<async_client::impl>
async_client::impl::make(const asio::any_io_executor& executor,
                         client_options options, client_handlers handlers) {
  auto result = std::make_shared<impl>();
  auto ended = [weak = result->weak_from_this()](const caf::error& why) {
    if (auto self = weak.lock())
      self->on_ended(why);
  };
  result->core
    = client_core::make(asio::make_strand(executor), std::move(options),
                        result->listen(std::move(handlers)), std::move(ended));
  return result;
}

async_client::impl::~impl() {
  // A receive that waits and its subscription hold each other.
  for (auto& [subject, weak] : subscriptions_)
    if (auto state = weak.lock())
      state->abandon();
}

client_handlers async_client::impl::listen(client_handlers next) {
  auto result = next;
  auto weak = weak_from_this();
  result.on_connected = [weak, f = next.on_connected](const welcome& x) {
    if (auto self = weak.lock()) {
      self->welcome_ = x;
      for (auto& call : std::exchange(self->connecting_, {}))
        call->finish(x);
    }
    if (f)
      f(x);
  };
  result.on_disconnected
    = [weak, f = next.on_disconnected](const disconnect_report& x) {
        if (auto self = weak.lock())
          self->welcome_.reset();
        if (f)
          f(x);
      };
  result.on_gap = [weak, f = next.on_gap](const gap& x) {
    auto self = x.group.empty() ? weak.lock() : nullptr;
    if (auto state = self ? self->find(std::string{x.subject}) : nullptr)
      state->on_gap(x.reason);
    if (f)
      f(x);
  };
  result.on_lost = [weak, f = next.on_lost](const std::string& subject,
                                            const caf::error& why) {
    auto self = weak.lock();
    if (auto state = self ? self->find(subject) : nullptr)
      state->close(why);
    if (f)
      f(subject, why);
  };
  return result;
}

async_client::impl::state_ptr
async_client::impl::find(const std::string& subject) {
  auto i = subscriptions_.find(subject);
  auto result = i == subscriptions_.end() ? nullptr : i->second.lock();
  return result && result->standing ? result : nullptr;
}

void async_client::impl::on_ended(const caf::error& why) {
  auto reason = why ? why : caf::make_error(errc::cancelled);
  welcome_.reset();
  for (auto& call : std::exchange(connecting_, {}))
    call->finish(reason);
  for (auto& [subject, weak] : std::exchange(subscriptions_, {}))
    if (auto state = weak.lock())
      state->close(reason);
  for (auto& f : std::exchange(closing_, {}))
    f({});
}

void async_client::impl::connect(const call_options& bounds,
                                 result_handler<welcome> done) {
  if (welcome_)
    return done(*welcome_);
  auto call = std::make_shared<bounded_call<welcome>>(core, std::move(done));
  connecting_.push_back(call);
  call->bound(bounds, [weak = weak_from_this(), gone = call.get()] {
    if (auto self = weak.lock())
      std::erase_if(self->connecting_,
                    [gone](auto& x) { return x.get() == gone; });
  });
  core->link().start();
}

void async_client::impl::subscribe(std::string subject,
                                   async_subscribe_options options,
                                   const call_options& bounds,
                                   result_handler<async_subscription> done) {
  auto state = std::make_shared<async_subscription::state>(core, subject,
                                                           options.size_max);
  auto call
    = std::make_shared<bounded_call<async_subscription>>(core, std::move(done));
  auto on_event = [weak = std::weak_ptr{state}](const event_view& x) {
    if (auto to = weak.lock())
      to->on_event(x);
  };
  auto on_presence = [weak = std::weak_ptr{state}](const presence_view& x) {
    if (auto to = weak.lock())
      to->on_presence(x);
  };
  auto answered = [weak = weak_from_this(), state,
                   call](caf::expected<subscribed> x) {
    // Taken back meanwhile.
    if (call->is_over())
      return;
    if (!x)
      return call->finish(std::move(x.error()));
    state->first = std::move(*x);
    state->standing = true;
    if (auto self = weak.lock()) {
      std::erase_if(self->subscriptions_,
                    [](auto& y) { return y.second.expired(); });
      self->subscriptions_[state->subject] = state;
    }
    call->finish(async_subscription{state});
  };
  session().subscribe(subject, {std::move(options.since), options.presence},
                      std::move(on_event), std::move(on_presence),
                      std::move(answered));
  call->bound(bounds, [weak = std::weak_ptr{core}, subject] {
    if (auto self = weak.lock())
      self->session().unsubscribe(subject, {});
  });
}

void async_client::impl::close(result_handler<void> done) {
  if (core->link().state() == client_state::disconnected) {
    core->link().stop();
    return done({});
  }
  closing_.push_back(std::move(done));
  core->link().stop();
}

// -- the client ---------------------------------------------------------------

async_client::async_client(const asio::any_io_executor& executor,
                           client_options options, client_handlers handlers)
  : impl_{impl::make(executor, std::move(options), std::move(handlers))} {
}

async_client::~async_client() {
  post(impl_, [](impl& self) { self.core->link().kill(); });
}

async_client::executor_type async_client::get_executor() const noexcept {
  return impl_->core->executor();
}

void async_client::post(const std::shared_ptr<impl>& self,
                        std::function<void(impl&)> f) {
  self->core->post([self, f = std::move(f)](client_core&) { f(*self); });
}

void async_client::start() {
  post(impl_, [](impl& self) { self.core->link().start(); });
}

void async_client::stop_responding(std::string action) {
  post(impl_, [action = std::move(action)](impl& self) {
    self.session().stop_responding(action, {});
  });
}

void async_client::leave(std::string topic, std::string group) {
  post(impl_, [topic = std::move(topic), group = std::move(group)](impl& self) {
    self.session().leave(topic, group, {});
  });
}

void async_client::connect(impl& self, call_options bounds,
                           result_handler<welcome> done) {
  self.connect(bounds, std::move(done));
}

void async_client::publish(impl& self, std::string topic, payload x,
                           publish_options options, call_options bounds,
                           result_handler<position> done) {
  begin_call<position>(self.core, bounds, std::move(done), [&](auto answered) {
    return self.session().publish(std::move(topic), std::move(x),
                                  std::move(options), std::move(answered));
  });
}

void async_client::request(impl& self, std::string action, payload x,
                           request_options options, call_options bounds,
                           result_handler<payload> done) {
  begin_call<payload>(self.core, bounds, std::move(done), [&](auto answered) {
    return self.session().request(std::move(action), std::move(x),
                                  std::move(options), std::move(answered));
  });
}

void async_client::notify(impl& self, std::string action, payload x,
                          call_options bounds, result_handler<void> done) {
  begin_call<void>(self.core, bounds, std::move(done), [&](auto answered) {
    return self.session().notify(std::move(action), std::move(x),
                                 std::move(answered));
  });
}

void async_client::subscribe(impl& self, std::string subject,
                             async_subscribe_options options,
                             call_options bounds,
                             result_handler<async_subscription> done) {
  self.subscribe(std::move(subject), std::move(options), bounds,
                 std::move(done));
}

void async_client::respond(impl& self, std::string action,
                           request_handler on_request,
                           result_handler<void> done) {
  self.session().respond(std::move(action), std::move(on_request),
                         std::move(done));
}

void async_client::join(impl& self, std::string topic, member_options options,
                        member_handler on_event,
                        result_handler<position> done) {
  self.session().join(std::move(topic), std::move(options), std::move(on_event),
                      std::move(done));
}

void async_client::close(impl& self, result_handler<void> done) {
  self.close(std::move(done));
}

asking_function async_client::asking(impl& self, call_options bounds) {
  return [&self, bounds = std::move(bounds)](std::string action, payload x,
                                             request_options options,
                                             result_handler<payload> done) {
    request(self, std::move(action), std::move(x), std::move(options), bounds,
            std::move(done));
  };
}

} // namespace callboard::net
