#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <callboard/messages/close_code.hpp>
#include <callboard/messages/errc.hpp>
#include <callboard/messages/frame_writer.hpp>
#include <callboard/net/client_error.hpp>
#include <callboard/net/client_link.hpp>

#include "support/test.hpp"

namespace callboard::net {

/// Writes down what a link does with its connection.
class logging_transport : public client_transport {
public:
  logging_transport(std::vector<std::string>& log,
                    const client_options& options, listener& to)
    : log{log}, token{options.token}, server{options.server}, to{&to} {
  }

  void open() override {
    log.push_back("open" + (token.empty() ? "" : ' ' + token));
  }

  void set_limits(size_t, caf::timespan) override {
    // Nothing is measured here.
  }

  bool send(const frame_view& x) override {
    log.push_back(std::string{to_string(x.type)});
    last_seq_id = x.seq_id;
    return true;
  }

  void close(uint16_t code) override {
    log.push_back("close " + std::to_string(code));
  }

  void drop() override {
    log.emplace_back("drop");
    to = nullptr;
  }

  std::vector<std::string>& log;
  std::string token;
  url server;
  listener* to;
  uint32_t last_seq_id = 0;
};

/// A client's way to a server that the test plays, on its own time.
struct client_link_fixture {
  using lines = std::vector<std::string>;

  client_link_fixture() {
    handlers.on_state = [this](client_state x) {
      log.emplace_back(to_string(x));
    };
    handlers.on_disconnected = [this](const disconnect_report& x) {
      using std::chrono::milliseconds;
      auto wait
        = x.retry_in ? std::to_string(
            std::chrono::duration_cast<milliseconds>(*x.retry_in).count())
                     : "never";
      log.push_back("retry " + wait);
    };
    handlers.on_error = [this](const caf::error& x) {
      log.push_back("error " + details(x).name);
    };
  }

  void start() {
    client_link::surroundings world;
    world.now = [this] { return now; };
    world.random = [this] { return random; };
    world.make_transport = [this](const client_options& x,
                                  client_transport::listener& to) {
      transport = std::make_shared<logging_transport>(log, x, to);
      return transport;
    };
    world.ended = [this](const caf::error& why) {
      log.push_back("ended " + (why ? details(why).name : "well"));
    };
    uut = std::make_shared<client_link>(options, handlers, world);
    uut->start();
  }

  // Lets a token source of the test's answer at once.
  void give_tokens() {
    options.get_token = [this](token_reason why, token_handler done) {
      log.push_back("token " + std::to_string(static_cast<int>(why)));
      if (holds_tokens)
        held.push_back(done);
      else if (no_tokens)
        done(caf::make_error(errc::overloaded));
      else
        done("T" + std::to_string(++tokens));
    };
  }

  void tell(frame_type type, const std::string& json,
            std::string_view subject = {}, uint32_t seq_id = 0,
            uint64_t code = 0, bool temporary = false) {
    auto body = payload::from_json(json).value();
    frame_view x;
    x.type = type;
    x.subject = subject;
    x.seq_id = seq_id;
    x.payload = body.view();
    if (type == frame_type::error) {
      x.meta.code = code;
      x.meta.mark(meta_key::code);
      x.meta.temporary = temporary;
      x.meta.mark(meta_key::temporary);
    }
    byte_buffer bytes;
    write_frame(codec::msgpack, x, bytes);
    transport->to->on_message(bytes.view());
  }

  // @param left time until the log-in runs out; 0: it does not.
  void welcome(int64_t left_ms = 0, uint32_t seq_id = 0) {
    auto json = std::string{R"({"connection":"c","node":"n","time":5000)"};
    if (left_ms > 0)
      json += ",\"expires\":" + std::to_string(5000 + left_ms);
    tell(frame_type::welcome, json + '}', {}, seq_id);
  }

  void lose(uint16_t code = 1006, caf::error why = {}) {
    close_report report;
    report.code = code;
    report.why = why ? std::move(why)
                     : caf::make_error(caf::sec::connection_closed);
    report.advice = advice(code);
    transport->to->on_closed(std::move(report));
  }

  void pass(std::chrono::milliseconds time) {
    now += time;
    uut->expire();
  }

  lines take_log() {
    return std::exchange(log, {});
  }

  client_options options;
  client_handlers handlers;
  client_link::time_point now = client_link::time_point{}
                                + std::chrono::hours{1};
  double random = 0.5;
  int tokens = 0;
  bool no_tokens = false;
  bool holds_tokens = false;
  std::vector<token_handler> held;
  lines log;
  std::shared_ptr<logging_transport> transport;
  std::shared_ptr<client_link> uut;
};

} // namespace callboard::net
