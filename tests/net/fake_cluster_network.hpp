#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <callboard/net/cluster/network.hpp>

/// Names and addresses as a test has them. Answers when it is told to.
class fake_cluster_network final : public callboard::net::cluster_network {
public:
  void resolve(const std::string& host,
               std::function<void(std::vector<std::string>)> f) override {
    ++looks;
    waiting_.push_back([this, host, f = std::move(f)] { f(names[host]); });
  }

  void probe(const std::string& ip, uint16_t port,
             std::function<void(bool)> f) override {
    auto place = ip + ' ' + std::to_string(port);
    probes.push_back(place);
    waiting_.push_back(
      [this, place, f = std::move(f)] { f(listening.contains(place)); });
  }

  /// Answers everything that waits.
  /// @returns whether there was something.
  bool answer() {
    auto now = std::exchange(waiting_, {});
    for (auto& f : now)
      f();
    return !now.empty();
  }

  std::map<std::string, std::vector<std::string>> names;
  std::set<std::string> listening;
  std::vector<std::string> probes;
  int looks = 0;

private:
  std::vector<std::function<void()>> waiting_;
};
