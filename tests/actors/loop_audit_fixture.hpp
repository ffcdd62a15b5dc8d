#pragma once

#include <callboard/actors/loop_audit.hpp>

#include <functional>
#include <optional>
#include <vector>

#include "support/node_fixture.hpp"
#include "support/test.hpp"

namespace callboard {

/// The sockets of a loop as a test wants its audit to see them.
class fake_sockets : public audited_sockets {
public:
  /// Adds the socket of a connection.
  void add(client& x) {
    list.push_back({++last_number, x.actor});
  }

  size_t sockets() const override {
    return list.size();
  }

  socket_facts socket(size_t i) const override {
    ++looked_at;
    return list[i];
  }

  leak_history socket_history(size_t i) const override {
    leak_history result;
    result.connection = list[i].number;
    return result;
  }

  int64_t closing_time_ms() const override {
    return 2'000;
  }

  void close_socket(size_t i) override {
    closed.push_back(list[i].number);
    list[i].closing_ms = now_ms();
  }

  void end_socket(size_t i) override {
    ended.push_back(list[i].number);
    list[i] = list.back();
    list.pop_back();
  }

  size_t surplus_places() override {
    return surplus;
  }

  void give_back_places(size_t n) override {
    surplus -= n;
    given_back += n;
  }

  std::vector<socket_facts> list;
  std::vector<uint64_t> closed;
  std::vector<uint64_t> ended;
  size_t surplus = 0;
  size_t given_back = 0;
  uint64_t last_number = 0;
  mutable size_t looked_at = 0;
  std::function<int64_t()> now_ms;
};

/// A node of one loop that is audited once a minute.
struct loop_audit_fixture : node_fixture {
  loop_audit_fixture() {
    node.log_leak = [this](const leak_report& x) { reports.push_back(x); };
    sockets.now_ms = [this] { return ctx().steady_ms; };
  }

  void begin() {
    start();
    audit.emplace(ctx(), sockets, sys.metrics());
  }

  loop_context& ctx() {
    return *loops[0];
  }

  /// Lets a minute pass and a round begin, with its first step.
  /// @param before is done first.
  void first_step(const std::function<void()>& before = {}) {
    pass(std::chrono::minutes{1});
    if (before)
      before();
    CHECK(!audit->busy());
    CHECK(audit->step());
  }

  /// The same with a whole round.
  void round(const std::function<void()>& before = {}) {
    first_step(before);
    while (audit->busy())
      CHECK(!audit->step());
    turn();
  }

  int64_t found(leak_kind x) {
    return make_leak_metrics(sys.metrics()).found_of(x)->value();
  }

  int64_t reclaimed(leak_kind x) {
    return make_leak_metrics(sys.metrics()).reclaimed_of(x)->value();
  }

  /// Returns how many leaks of all kinds were found.
  int64_t found() {
    int64_t result = 0;
    for (size_t i = 0; i < leak_kind_count; ++i)
      result += found(static_cast<leak_kind>(i));
    return result;
  }

  fake_sockets sockets;
  std::optional<loop_audit> audit;
  std::vector<leak_report> reports;
};

} // namespace callboard
