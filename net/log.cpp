#include <callboard/net/log.hpp>

#include <memory>
#include <mutex>

#include <spdlog/spdlog.h>

namespace callboard {

std::shared_ptr<spdlog::logger> logger(const std::string& layer) {
  static std::mutex guard;
  std::lock_guard lock{guard};
  auto name = "callboard." + layer;
  if (auto known = spdlog::get(name))
    return known;
  auto base = spdlog::default_logger();
  // A program's log may end before the last of its actors: nobody hears that.
  if (base == nullptr)
    return std::make_shared<spdlog::logger>(name);
  auto made = base->clone(name);
  spdlog::register_logger(made);
  return made;
}

} // namespace callboard
