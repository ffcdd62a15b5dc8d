#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <callboard/net/http_front.hpp>

/// Stands for the server behind an HTTP session: does what its members say and
/// writes down what happened.
class fake_http_front : public callboard::net::http_front {
public:
  callboard::net::server_options what;
  bool is_ready = true;
  std::string store;
  size_t places = 1000;
  std::string metrics = "callboard_metric 1\n";
  std::vector<callboard::net::ws_upgrade> opened;
  std::vector<unsigned> counted;

  const callboard::net::server_options& options() const override {
    return what;
  }

  bool admit() override {
    if (places == 0)
      return false;
    --places;
    return true;
  }

  void forgo() override {
    ++places;
  }

  bool ready() const override {
    return is_ready;
  }

  std::string_view store_state() const override {
    return store;
  }

  std::string metrics_text() override {
    return metrics;
  }

  void open(callboard::net::ws_upgrade&& upgrade) override {
    opened.push_back(std::move(upgrade));
  }

  void count_reply(unsigned status) override {
    counted.push_back(status);
  }
};
