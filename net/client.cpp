#include <callboard/net/client.hpp>

#include <utility>

#include <callboard/net/client_core.hpp>

namespace callboard::net {

class client::impl {
public:
  impl(client_options options, client_handlers handlers)
    : work{asio::make_work_guard(context)},
      core{client_core::make(context.get_executor(), std::move(options),
                             std::move(handlers), [this](const caf::error& x) {
                               end = x;
                               work.reset();
                               context.stop();
                             })} {
  }

  ~impl() {
    core->drop();
  }

  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work;
  std::shared_ptr<client_core> core;
  caf::error end;
};

client::client(client_options options, client_handlers handlers)
  : impl_{std::make_unique<impl>(std::move(options), std::move(handlers))} {
}

client::~client() = default;

void client::start() {
  impl_->core->post([](client_core& x) { x.link().start(); });
}

caf::error client::run() {
  impl_->context.run();
  return impl_->end;
}

void client::stop() {
  impl_->core->post([](client_core& x) { x.link().stop(); });
}

void client::post(std::function<void()> f) {
  asio::post(impl_->context, std::move(f));
}

asio::io_context& client::context() noexcept {
  return impl_->context;
}

client_state client::state() const noexcept {
  return impl_->core->link().state();
}

size_t client::pending() const noexcept {
  return impl_->core->session().pending();
}

bool client::is_busy() const {
  return impl_->core->session().is_busy();
}

void client::subscribe(std::string subject, event_handler on_event,
                       result_handler<position> done) {
  impl_->core->session().subscribe(std::move(subject), std::move(on_event),
                                   std::move(done));
  impl_->core->arm();
}

void client::unsubscribe(const std::string& subject,
                         result_handler<void> done) {
  impl_->core->session().unsubscribe(subject, std::move(done));
  impl_->core->arm();
}

void client::join(std::string topic, member_options options,
                  member_handler on_event, result_handler<position> done) {
  impl_->core->session().join(std::move(topic), std::move(options),
                              std::move(on_event), std::move(done));
  impl_->core->arm();
}

void client::leave(const std::string& topic, const std::string& group,
                   result_handler<void> done) {
  impl_->core->session().leave(topic, group, std::move(done));
  impl_->core->arm();
}

void client::subscribe(std::string subject, subscribe_options options,
                       event_handler on_event, presence_handler on_presence,
                       result_handler<subscribed> done) {
  impl_->core->session().subscribe(std::move(subject), std::move(options),
                                   std::move(on_event), std::move(on_presence),
                                   std::move(done));
  impl_->core->arm();
}

operation_id client::publish(std::string topic, payload x,
                             publish_options options,
                             result_handler<position> done) {
  auto result = impl_->core->session().publish(std::move(topic), std::move(x),
                                               std::move(options),
                                               std::move(done));
  impl_->core->arm();
  return result;
}

operation_id client::request(std::string action, payload x,
                             request_options options,
                             result_handler<payload> done) {
  auto result = impl_->core->session().request(std::move(action), std::move(x),
                                               std::move(options),
                                               std::move(done));
  impl_->core->arm();
  return result;
}

operation_id client::request(std::string action, payload x,
                             caf::timespan timeout,
                             result_handler<payload> done) {
  return request(std::move(action), std::move(x),
                 request_options{.timeout = timeout}, std::move(done));
}

operation_id client::notify(std::string action, payload x,
                            result_handler<void> done) {
  auto result = impl_->core->session().notify(std::move(action), std::move(x),
                                              std::move(done));
  impl_->core->arm();
  return result;
}

bool client::cancel(operation_id id) {
  auto result = impl_->core->session().cancel(id);
  impl_->core->arm();
  return result;
}

asking_function client::asking() {
  return [this](std::string action, payload x, request_options options,
                result_handler<payload> done) {
    request(std::move(action), std::move(x), std::move(options),
            std::move(done));
  };
}

void client::respond(std::string action, request_handler on_request,
                     result_handler<void> done) {
  impl_->core->session().respond(std::move(action), std::move(on_request),
                                 std::move(done));
  impl_->core->arm();
}

void client::stop_responding(const std::string& action,
                             result_handler<void> done) {
  impl_->core->session().stop_responding(action, std::move(done));
  impl_->core->arm();
}

} // namespace callboard::net
