#pragma once

#include <string>
#include <utility>
#include <vector>

#include "bench/load.hpp"
#include "bench/worker.hpp"

/// Keeps the publications that a dialect tells of.
class recorder final : public callboard::cmd::bench::load {
public:
  using worker = callboard::cmd::bench::worker;
  using link = callboard::cmd::bench::link;
  using role = callboard::cmd::bench::role;

  explicit recorder(role what) : what_(std::move(what)) {
  }

  role role_of(worker&, const link&) const override {
    return what_;
  }

  void start(worker&) override {
    // Nothing is sent.
  }

  void event(worker&, link&,
             const callboard::cmd::bench::frame_view& frame) override {
    contents.emplace_back(frame.content);
  }

  std::vector<std::string> contents;

private:
  role what_;
};

/// One connection of the load generator, whose server is the test: the other
/// end of a socket pair.
class conversation {
public:
  /// Connects, so that the dialect may speak.
  /// @param dialect one that `find_dialect` knows.
  /// @throws std::runtime_error if there is no such dialect or no socket.
  conversation(const std::string& dialect, recorder::role what);

  conversation(const conversation&) = delete;

  ~conversation();

  /// Lets the generator read bytes of the server's.
  void hear(const std::string& bytes);

  /// Returns what the generator has said since the last call.
  std::string said();

  callboard::cmd::bench::link_state state() {
    return which().state;
  }

  const std::vector<std::string>& contents() const {
    return heard_->contents;
  }

  callboard::cmd::bench::worker& self() {
    return worker_;
  }

private:
  callboard::cmd::bench::link& which() {
    return worker_.links()[0];
  }

  callboard::cmd::bench_options options_;
  callboard::cmd::bench::run_state state_;
  recorder* heard_;
  callboard::cmd::bench::worker worker_;
  int server_ = -1;
  std::string rest_;
};
