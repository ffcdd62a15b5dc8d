#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <callboard/net/http_front.hpp>

/// What browsers get of it.
inline constexpr callboard::net::page_file fake_page[] = {
  {"/", "text/html; charset=utf-8", "<title>a page</title>\n"},
  {"/app.js", "text/javascript; charset=utf-8", "let x = 'a script';\n"},
};

/// Stands for the server behind an HTTP session: does what its members say and
/// writes down what happened.
class fake_http_front : public callboard::net::http_front {
public:
  fake_http_front() {
    what.page = fake_page;
  }

  callboard::net::server_options what;
  bool is_ready = true;
  bool is_joining = false;
  std::string store;
  size_t places = 1000;
  size_t session_places = 1000;
  /// Where clients are sent, and how often they were.
  std::vector<std::string> others;
  size_t redirects = 0;
  std::optional<callboard::limit_hit> load_hit;
  std::optional<callboard::limit_hit> handshake_hit;
  std::optional<callboard::limit_hit> address_hit;
  /// Who began a session or a handshake, and who has a place.
  std::vector<std::string> peers;
  std::vector<std::string> handshakes;
  std::vector<std::string> admitted;
  /// Who waits for a place, by tickets, and how many may.
  std::map<uint64_t, std::function<void()>> waiting;
  size_t waiting_max = 2;
  uint64_t last_ticket = 0;
  /// The limits that were met by waiting.
  std::vector<callboard::limit_kind> waited;
  std::string metrics = "callboard_metric 1\n";
  std::vector<callboard::net::ws_upgrade> opened;
  std::vector<unsigned> counted;

  const callboard::net::server_options& options() const override {
    return what;
  }

  bool open_session(std::string_view peer) override {
    peers.emplace_back(peer);
    if (session_places == 0)
      return false;
    --session_places;
    return true;
  }

  void close_session(std::string_view) override {
    ++session_places;
  }

  std::string client_address(std::string_view peer,
                             std::string_view forwarded_for) const override {
    return forwarded_for.empty() ? std::string{peer}
                                 : std::string{forwarded_for};
  }

  std::optional<callboard::limit_hit> check_load() override {
    return load_hit;
  }

  std::optional<callboard::limit_hit>
  take_handshake(std::string_view address) override {
    handshakes.emplace_back(address);
    return handshake_hit;
  }

  std::optional<callboard::limit_hit> admit(std::string_view address) override {
    if (address_hit)
      return address_hit;
    if (places == 0)
      return callboard::limit_hit{callboard::limit_kind::connections};
    --places;
    admitted.emplace_back(address);
    return {};
  }

  callboard::net::queue_entry
  enter_queue(std::string_view, std::function<void()> called) override {
    if (waiting.size() >= waiting_max)
      return {0, callboard::limit_hit{callboard::limit_kind::accept_queue}};
    waiting[++last_ticket] = std::move(called);
    return {last_ticket, {}};
  }

  bool leave_queue(std::string_view, uint64_t ticket,
                   const std::optional<callboard::limit_hit>& met) override {
    if (waiting.erase(ticket) == 0)
      return false;
    if (met)
      waited.push_back(met->what);
    return true;
  }

  /// Reserves a place for who has waited for longest.
  /// @returns what tells so.
  std::function<void()> reserve_next() {
    auto called = std::move(waiting.begin()->second);
    waiting.erase(waiting.begin());
    return called;
  }

  void forgo(std::string_view address) override {
    ++places;
    std::erase(admitted, address);
  }

  bool ready() const override {
    return is_ready;
  }

  bool joining() const override {
    return is_joining;
  }

  std::vector<std::string> elsewhere() override {
    ++redirects;
    return others;
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
