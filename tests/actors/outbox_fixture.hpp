#pragma once

#include <callboard/actors/outbox.hpp>

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "support/test.hpp"

namespace callboard {

/// Calls back instead of writing to a socket.
struct scripted_transport : transport {
  void flush(outbox&) override {
    ++flushes;
    if (on_flush)
      on_flush();
  }

  size_t send(std::string_view bytes) override {
    auto n = std::min(bytes.size(), accepts);
    accepts -= n;
    sent += bytes.substr(0, n);
    return n;
  }

  void close(uint16_t, std::string_view) override {
    // nop
  }

  void expiry_changed() override {
    // nop
  }

  size_t flushes = 0;
  /// What `send` takes yet, in bytes, and what it took.
  size_t accepts = 1'000'000;
  std::string sent;
  std::function<void()> on_flush;
};

struct outbox_fixture {
  outbox_ptr make(size_t bytes_max = 1'000'000,
                  wire_form form = wire_form::msgpack) {
    return outbox_ptr{new outbox{scheduler, form, bytes_max}};
  }

  chunk_ptr shared(std::string_view bytes) {
    auto x = scheduler.chunks().take();
    x->bytes.append(bytes);
    return x;
  }

  static std::vector<std::string> pieces(const outbox& x, size_t n = 64) {
    std::vector<std::string_view> views(n);
    views.resize(x.gather(views));
    return {views.begin(), views.end()};
  }

  static std::string all(const outbox& x) {
    std::string result;
    for (auto& piece : pieces(x))
      result += piece;
    return result;
  }

  /// Consumes everything that waits and returns it.
  static std::string drain(outbox& x) {
    auto result = all(x);
    x.consume(result.size());
    return result;
  }

  using texts = std::vector<std::string>;

  outbox_scheduler scheduler;
};

} // namespace callboard
