#include <callboard/net/log.hpp>

#include <mutex>

#include <spdlog/spdlog.h>

namespace callboard {

std::shared_ptr<spdlog::logger> logger(const std::string& layer) {
  static std::mutex guard;
  std::lock_guard lock{guard};
  auto name = "callboard." + layer;
  if (auto known = spdlog::get(name))
    return known;
  auto made = spdlog::default_logger()->clone(name);
  spdlog::register_logger(made);
  return made;
}

} // namespace callboard
