#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <callboard/net/client_error.hpp>
#include <callboard/net/client_port.hpp>

namespace callboard::net {

/// A client that the test plays: it writes down what is asked of it, and keeps
/// whom to tell.
struct fake_port : client_port {
  fake_port(std::vector<std::string>& log, client_handlers handlers,
            std::function<void(const caf::error&)> ended)
    : log{log}, handlers{std::move(handlers)}, ended{std::move(ended)} {
  }

  ~fake_port() override {
    log.emplace_back("port gone");
  }

  void start() override {
    log.emplace_back("start");
  }

  void stop() override {
    log.emplace_back("stop");
  }

  void subscribe(std::string subject, subscribe_options options,
                 event_handler f, presence_handler g,
                 result_handler<subscribed> done) override {
    auto& since = options.since;
    log.push_back(
      "subscribe " + subject
      + (since.epoch.empty() ? "" : '@' + std::to_string(since.offset))
      + (options.presence ? " presence" : ""));
    on_event[subject] = std::move(f);
    on_presence = std::move(g);
    on_subscribed = std::move(done);
  }

  void unsubscribe(std::string subject) override {
    log.push_back("unsubscribe " + subject);
  }

  void join(std::string topic, member_options options, giving_function f,
            std::function<void(const caf::error&)> g,
            result_handler<subscribed> done) override {
    auto& since = options.since;
    log.push_back(
      "join " + topic + ' ' + options.group
      + (since.epoch.empty() ? "" : '@' + std::to_string(since.offset)));
    give = std::move(f);
    on_member_lost = std::move(g);
    on_joined = std::move(done);
  }

  void leave(std::string topic, std::string group) override {
    log.push_back("leave " + topic + ' ' + group);
  }

  void confirm(uint64_t number, bool confirmed) override {
    log.push_back((confirmed ? "confirm " : "reject ")
                  + std::to_string(number));
  }

  void publish(std::string topic, payload x, publish_options options,
               result_handler<position> done) override {
    log.push_back("publish " + topic + ' ' + x.to_json()
                  + (options.ack ? "" : " unanswered") + options.id
                  + options.key);
    on_published = std::move(done);
  }

  void request(std::string action, payload x, request_options,
               result_handler<payload> done) override {
    log.push_back("request " + action + ' ' + x.to_json());
    on_answer = std::move(done);
  }

  void respond(std::string action, serving_function f,
               result_handler<void> done) override {
    log.push_back("respond " + action);
    serve = std::move(f);
    on_registered = std::move(done);
  }

  void stop_responding(std::string action) override {
    log.push_back("stop responding " + action);
  }

  void answer(uint64_t number, caf::expected<payload> x) override {
    log.push_back("answer " + std::to_string(number) + ' '
                  + (x ? x->to_json() : details(x.error()).name));
  }

  std::vector<std::string>& log;
  client_handlers handlers;
  std::function<void(const caf::error&)> ended;
  std::map<std::string, event_handler> on_event;
  presence_handler on_presence;
  result_handler<subscribed> on_subscribed;
  giving_function give;
  std::function<void(const caf::error&)> on_member_lost;
  result_handler<subscribed> on_joined;
  result_handler<position> on_published;
  result_handler<payload> on_answer;
  result_handler<void> on_registered;
  serving_function serve;
};

} // namespace callboard::net
