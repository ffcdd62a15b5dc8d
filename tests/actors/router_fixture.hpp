#pragma once

#include <callboard/actors/router.hpp>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include "actors/loop_fixture.hpp"

namespace callboard {

/// What a router has told a connection.
struct told {
  std::vector<std::pair<uint32_t, request_outcome>> answers;
  std::vector<uint32_t> registered;
  std::vector<std::pair<request_ticket, routed_request_ptr>> served;
  std::vector<request_ticket> cancelled;
};

/// A connection that does nothing of its own.
class fake_connection : public connection_actor::base {
public:
  fake_connection(caf::actor_config& cfg, std::shared_ptr<told> log)
    : connection_actor::base{cfg}, log_{std::move(log)} {
  }

  behavior_type make_behavior() override {
    return {
      [](const published&) {},
      [this](resolve_atom, uint32_t call_id, const request_outcome& x) {
        log_->answers.emplace_back(call_id, x);
      },
      [this](register_atom, uint32_t call_id) {
        log_->registered.push_back(call_id);
      },
      [this](serve_atom, request_ticket ticket, const routed_request_ptr& x) {
        log_->served.emplace_back(ticket, x);
      },
      [this](cancel_atom, request_ticket ticket) {
        log_->cancelled.push_back(ticket);
      },
      [](request_atom, const std::string&, const payload& x, caf::timespan) {
        return x;
      },
      [](close_atom, uint16_t, const std::string&) {},
      [](drain_atom) {},
      [](const group_notice&) {},
      [](deliver_atom, const group_event&) {},
      [](cancel_atom, group_ticket) {},
      [](lookup_atom) { return connection_facts{}; },
    };
  }

private:
  std::shared_ptr<told> log_;
};

struct fake_client {
  connection_actor handle;
  std::shared_ptr<told> log = std::make_shared<told>();

  told* operator->() const {
    return log.get();
  }
};

struct router_fixture : loop_fixture {
  using timespan = caf::timespan;

  router_fixture() {
    start();
  }

  ~router_fixture() override {
    stop(hub);
  }

  void start() {
    hub = spawn_hosted<router>(sys, nullptr, ctx, waiting);
  }

  void restart() {
    stop(hub);
    start();
  }

  // -- clients ----------------------------------------------------------------

  fake_client connect() {
    fake_client result;
    result.handle = sys.spawn<fake_connection>(result.log);
    return result;
  }

  template <class... Ts>
  void say(const fake_client& from, Ts&&... xs) {
    caf::send_as(from.handle, hub, std::forward<Ts>(xs)...);
    sched.run();
  }

  static routed_request_ptr make_request(const std::string& action,
                                         uint32_t call_id, timespan timeout,
                                         const std::string& text = {}) {
    auto x = caf::make_counted<routed_request>();
    x->content.action = action;
    x->content.payload = payload::pack(text);
    x->call_id = call_id;
    x->timeout = timeout;
    return x;
  }

  void ask(const fake_client& from, const std::string& action, uint32_t call_id,
           timespan timeout = std::chrono::seconds{10},
           const std::string& text = {}) {
    say(from, route_atom_v, make_request(action, call_id, timeout, text));
  }

  void serve(const fake_client& who, const std::string& action) {
    say(who, register_atom_v, action, uint32_t{1000});
  }

  void answer(const fake_client& from, request_ticket ticket,
              const std::string& text = "ok") {
    say(from, resolve_atom_v, ticket,
        request_outcome::answer(payload::pack(text)));
  }

  /// Answers the last request that `from` was given.
  void answer(const fake_client& from, const std::string& text = "ok") {
    REQUIRE(!from->served.empty());
    answer(from, from->served.back().first, text);
  }

  template <class Handle>
  void kill(const Handle& x) {
    caf::anon_send_exit(x, caf::exit_reason::kill);
    sched.run();
  }

  void kill(const fake_client& x) {
    kill(x.handle);
  }

  // -- embedded actors --------------------------------------------------------

  /// Registers `who` for `action`.
  void embed(const std::string& action, const caf::actor& who) {
    auto result = self->request(hub, caf::infinite, register_atom_v, action,
                                who);
    sched.run();
    result.receive([] {}, [](const caf::error& x) { CAF_FAIL(x); });
  }

  /// Spawns a responder that calls `f`.
  template <class F>
  caf::actor responder(F f) {
    return sys.spawn([f] {
      return caf::behavior{[f](const action_request& x) { return f(x); }};
    });
  }

  /// Asks as an embedded actor.
  auto request(const std::string& action,
               timespan timeout = std::chrono::seconds{10}) {
    auto result = self->request(hub, caf::infinite, request_atom_v,
                                make_request(action, 0, timeout));
    sched.run();
    return result;
  }

  /// Returns the answer to `request`, or its error in words.
  template <class Handle>
  static std::string result_of(Handle&& x) {
    std::string result;
    x.receive([&result](const payload& answer) { result = text_of(answer); },
              [&result](const caf::error& error) {
                result = to_string(error);
              });
    return result;
  }

  // -- observations -----------------------------------------------------------

  static std::string text_of(const payload& x) {
    return x.get_as<std::string>().value_or("not a string");
  }

  /// Returns the answers to `who` as "1 ok" or "2 timeout", and forgets them.
  static std::string answers(const fake_client& who) {
    std::string result;
    for (auto& [call_id, outcome] : who->answers) {
      if (!result.empty())
        result += ", ";
      result += std::to_string(call_id) + ' ';
      result += outcome.failed() ? outcome.name : text_of(outcome.payload);
    }
    who->answers.clear();
    return result;
  }

  int64_t strays() const {
    return ctx.metrics.stray_answers->value();
  }

  mailbox_bytes_ptr waiting = std::make_shared<mailbox_bytes>();
  router_actor hub;
};

} // namespace callboard
