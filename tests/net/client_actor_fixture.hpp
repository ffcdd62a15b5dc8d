#pragma once

#include <callboard/net/client_actor.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <callboard/messages/errc.hpp>
#include <callboard/net/client_error.hpp>

#include "net/fake_client_port.hpp"
#include "support/test.hpp"

namespace callboard::net {

/// A client as an actor, whose port the test plays. `log` has what is asked of
/// the port, and what its listeners hear.
struct client_actor_fixture : test_coordinator_fixture<> {
  using lines = std::vector<std::string>;

  client_actor_fixture() {
    auto make = [this](client_handlers handlers,
                       std::function<void(const caf::error&)> ended) {
      auto result = std::make_unique<fake_port>(log, std::move(handlers),
                                                std::move(ended));
      port = result.get();
      return result;
    };
    uut = sys.spawn<client_actor>(make, size_t{1000});
    run();
    log.clear();
  }

  ~client_actor_fixture() override {
    caf::anon_send_exit(uut, caf::exit_reason::kill);
    for (auto& x : listeners)
      caf::anon_send_exit(x, caf::exit_reason::kill);
    run();
  }

  // Spawns an actor that writes down what it gets; `keeps` events too.
  caf::actor listener(const std::string& name, bool keeps = false) {
    auto result = sys.spawn([this, name, keeps]() -> caf::behavior {
      return {
        [this, name, keeps](const event& x) {
          log.push_back(name + " event " + x.topic + '@'
                        + std::to_string(x.offset));
          if (keeps)
            kept.push_back(x);
        },
        [this, name](const presence_update& x) {
          auto line = name + " presence " + x.topic + (x.reset ? " reset" : "");
          for (auto& step : x.steps)
            line += (step.joined ? " +" : " -") + step.user + '/'
                    + std::to_string(step.connection);
          log.push_back(line);
        },
        [this, name](const std::string& subject, const callboard::position& x) {
          log.push_back(name + " gap " + subject + '@'
                        + std::to_string(x.offset));
        },
        [this, name](unsubscribe_atom, const std::string& subject,
                     const callboard::position& x) {
          log.push_back(name + " lost " + subject + '@'
                        + std::to_string(x.offset));
        },
        [this, name](watch_atom, const std::string& state,
                     const caf::error& why) {
          log.push_back(name + ' ' + state
                        + (why ? ' ' + details(why).name : ""));
        },
      };
    });
    listeners.push_back(result);
    return result;
  }

  template <class... Ts>
  auto ask(Ts&&... xs) {
    auto result = self->request(uut, caf::infinite, std::forward<Ts>(xs)...);
    run();
    return result;
  }

  // Writes down the position that a message is answered with.
  template <class Handle>
  void note(Handle&& x) {
    x.receive(
      [this](const callboard::position& at) {
        log.push_back("at " + std::to_string(at.offset));
      },
      [this](const caf::error& why) { log.push_back(details(why).name); });
  }

  void subscribe(const caf::actor& who, uint64_t offset) {
    auto answer = ask(subscribe_atom_v, who, "t");
    port->on_subscribed(subscribed{{"e", offset}});
    run();
    note(answer);
  }

  void send_event(uint64_t offset, std::string text = "x") {
    auto body = payload::pack(std::move(text));
    event_view x;
    x.topic = "t";
    x.offset = offset;
    x.body = body.view();
    port->on_event["t"](x);
    run();
  }

  lines take_log() {
    return std::exchange(log, {});
  }

  lines log;
  fake_port* port = nullptr;
  client_handle uut;
  std::vector<caf::actor> listeners;
  std::vector<event> kept;
};

} // namespace callboard::net
