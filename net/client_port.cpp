#include <callboard/net/client_port.hpp>

#include <map>
#include <thread>
#include <utility>

#include <callboard/actors/responder_error.hpp>
#include <callboard/messages/errc.hpp>
#include <callboard/net/client_core.hpp>
#include <callboard/net/client_error.hpp>

namespace callboard::net {

namespace {

void fail_by(const incoming_request& x, const caf::error& why) {
  if (auto own = responder_error_of(why))
    x.fail(own->code, own->name, own->sentence, own->temporary);
  else
    x.fail(errc::responder_failed, details(why).sentence);
}

/// What runs on the thread of a port, which keeps it until its end.
struct port_run {
  explicit port_run(size_t incoming_max) : incoming_max{incoming_max} {
  }

  const size_t incoming_max;
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{
    context.get_executor()};
  // Unanswered requests, in their order.
  std::map<uint64_t, incoming_request> incoming;
  uint64_t last_number = 0;
};

/// A client on a thread of its own.
class thread_port : public client_port {
public:
  thread_port(client_options options, client_handlers handlers,
              std::function<void(const caf::error&)> ended)
    : run_{std::make_shared<port_run>(options.incoming_max)},
      core_{client_core::make(run_->context.get_executor(), std::move(options),
                              std::move(handlers), std::move(ended))},
      thread_{[run = run_] { run->context.run(); }} {
  }

  ~thread_port() override {
    core_->post([run = run_.get()](client_core& x) {
      x.link().kill();
      run->incoming.clear();
      run->context.stop();
    });
    core_ = nullptr;
    // A callback may have held the last reference to who owns this.
    if (thread_.get_id() == std::this_thread::get_id())
      thread_.detach();
    else
      thread_.join();
  }

  void start() override {
    core_->post([](client_core& x) { x.link().start(); });
  }

  void stop() override {
    core_->post([](client_core& x) { x.link().stop(); });
  }

  void subscribe(std::string subject, position since, event_handler on_event,
                 result_handler<subscribed> done) override {
    core_->post([subject = std::move(subject), since = std::move(since),
                 on_event = std::move(on_event),
                 done = std::move(done)](client_core& x) {
      x.session().subscribe(subject, {since, false}, on_event, {}, done);
    });
  }

  void unsubscribe(std::string subject) override {
    core_->post([subject = std::move(subject)](client_core& x) {
      x.session().unsubscribe(subject, {});
    });
  }

  void publish(std::string topic, payload x, publish_options options,
               result_handler<position> done) override {
    core_->post([topic = std::move(topic), x = std::move(x),
                 options = std::move(options),
                 done = std::move(done)](client_core& core) {
      core.session().publish(topic, x, options, done);
    });
  }

  void request(std::string action, payload x, request_options options,
               result_handler<payload> done) override {
    core_->post([action = std::move(action), x = std::move(x),
                 options = std::move(options),
                 done = std::move(done)](client_core& core) {
      core.session().request(action, x, options, done);
    });
  }

  void respond(std::string action, serving_function serve,
               result_handler<void> done) override {
    auto take = [run = run_.get(),
                 serve = std::move(serve)](incoming_request x) {
      // Those that nobody has answered are bounded by the session as well.
      if (run->incoming.size() >= run->incoming_max)
        run->incoming.erase(run->incoming.begin());
      auto number = ++run->last_number;
      auto [i, is_new] = run->incoming.emplace(number, std::move(x));
      serve(number, i->second);
    };
    core_->post([action = std::move(action), take = std::move(take),
                 done = std::move(done)](client_core& core) {
      core.session().respond(action, take, done);
    });
  }

  void stop_responding(std::string action) override {
    core_->post([action = std::move(action)](client_core& x) {
      x.session().stop_responding(action, {});
    });
  }

  void answer(uint64_t number, caf::expected<payload> x) override {
    core_->post([run = run_.get(), number, x = std::move(x)](client_core&) {
      auto node = run->incoming.extract(number);
      if (node.empty())
        return;
      if (x)
        node.mapped().answer(*x);
      else
        fail_by(node.mapped(), x.error());
    });
  }

private:
  std::shared_ptr<port_run> run_;
  std::shared_ptr<client_core> core_;
  std::thread thread_;
};

} // namespace

port_factory own_threads(client_options options) {
  return [options
          = std::move(options)](client_handlers handlers,
                                std::function<void(const caf::error&)> ended) {
    return std::make_unique<thread_port>(options, std::move(handlers),
                                         std::move(ended));
  };
}

} // namespace callboard::net
