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
  // Unanswered requests, and events of groups, in their order.
  std::map<uint64_t, incoming_request> incoming;
  std::map<uint64_t, member_answer> given;
  uint64_t last_number = 0;

  // Keeps one of these until it is answered. Those that nobody answers are
  // bounded by session and server as well.
  // @returns its number.
  template <class T>
  uint64_t keep(std::map<uint64_t, T>& where, T x) {
    if (where.size() >= incoming_max)
      where.erase(where.begin());
    where.emplace(++last_number, std::move(x));
    return last_number;
  }
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
      run->given.clear();
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

  void subscribe(std::string subject, subscribe_options options,
                 event_handler on_event, presence_handler on_presence,
                 result_handler<subscribed> done) override {
    core_->post([subject = std::move(subject), options = std::move(options),
                 on_event = std::move(on_event),
                 on_presence = std::move(on_presence),
                 done = std::move(done)](client_core& x) {
      x.session().subscribe(subject, options, on_event, on_presence, done);
    });
  }

  void unsubscribe(std::string subject) override {
    core_->post([subject = std::move(subject)](client_core& x) {
      x.session().unsubscribe(subject, {});
    });
  }

  void join(std::string topic, member_options options, giving_function give,
            std::function<void(const caf::error&)> on_lost,
            result_handler<subscribed> done) override {
    auto take = [run = run_.get(), give = std::move(give)](
                  const event_view& x, member_answer answer) {
      give(run->keep(run->given, std::move(answer)), x);
    };
    core_->post(
      [topic = std::move(topic), options = std::move(options),
       handlers = member_handlers{std::move(take), std::move(on_lost)},
       done = std::move(done)](client_core& x) {
        x.session().join(topic, options, handlers, done);
      });
  }

  void leave(std::string topic, std::string group) override {
    core_->post([topic = std::move(topic), group = std::move(group)](
                  client_core& x) { x.session().leave(topic, group, {}); });
  }

  void confirm(uint64_t number, bool confirmed) override {
    core_->post([run = run_.get(), number, confirmed](client_core&) {
      if (auto node = run->given.extract(number))
        node.mapped()(confirmed);
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
      auto number = run->keep(run->incoming, x);
      serve(number, x);
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
