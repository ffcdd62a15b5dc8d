#include "load_settings.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include "units.hpp"

namespace callboard::cmd {

namespace {

using namespace std::chrono_literals;

// Returns the part with this name.
std::optional<size_t> find_part(std::string_view name) {
  for (size_t i = 0; i < load_part_count; ++i)
    if (to_string(static_cast<load_part>(i)) == name)
      return i;
  return std::nullopt;
}

std::string show_weights(const load_options& x) {
  std::string result;
  for (size_t i = 0; i < load_part_count; ++i) {
    result += i == 0 ? "" : ",";
    result += to_string(static_cast<load_part>(i));
    result += '=' + format_share(x.weights[i]);
  }
  return result;
}

// Sets one weight by NAME=SHARE.
// @returns what is wrong; empty: nothing.
std::string set_weight(std::string_view text, load_options& x) {
  auto name = text.substr(0, text.find('='));
  auto part = find_part(name);
  if (!part)
    return '\'' + std::string{name}
           + "' is no part of the load; these are turn, queue, outbox, cpu and "
             "memory";
  auto value = text.substr(std::min(name.size() + 1, text.size()));
  auto share = parse_share(value);
  if (!share || *share > 1)
    return '\'' + std::string{value} + "' is not a share of 0 to 1";
  x.weights[*part] = *share;
  return {};
}

setting weights_setting(load_options& x) {
  auto set = [&x](std::string_view text) -> std::string {
    auto weighed = x;
    while (!text.empty()) {
      auto item = text.substr(0, text.find(','));
      text.remove_prefix(std::min(item.size() + 1, text.size()));
      if (auto wrong = set_weight(item, weighed); !wrong.empty())
        return wrong;
    }
    x = weighed;
    return {};
  };
  return {"load-weights",
          "WEIGHTS",
          "By how much each part of the load counts; the largest one is the "
          "score. Those that\nare not named keep their weight",
          "NAME=SHARE with commas in between, shares 0 to 1",
          show_weights(x),
          set,
          [&x] { return show_weights(x); }};
}

} // namespace

std::vector<setting> load_settings(net::server_options& s) {
  auto& x = s.node.load;
  return {
    duration_setting("accept-wait",
                     "Time for which a WebSocket handshake waits for a place "
                     "where max-connections is\nreached; 0s: none does",
                     s.accept_wait, 0s, 60s),
    count_setting("accept-queue-max",
                  "Handshakes that wait so at once, on each loop 2048 at most",
                  s.accept_queue_max, 1, 1'000'000),
    live(share_setting("load-high",
                       "Load of a loop from which it sheds new work; 0: never",
                       x.high)),
    live(
      share_setting("load-low",
                    "Load below which all work is taken again, and above which "
                    "rates become lower;\nabove 0 unless load-high is 0",
                    x.low)),
    live(weights_setting(x)),
    live(duration_setting("load-turn-max",
                          "Length of a loop's turns that is a full load",
                          x.turn_max, 1ms, 1min)),
    live(size_setting("load-outbox-bytes-max",
                      "Bytes in all outboxes that are a full load",
                      x.outbox_bytes_max, 65'536, 1024 * 1024 * mib)),
    live(
      size_setting("load-memory-max",
                   "Resident memory that is a full load, from 1MiB; 0: it does "
                   "not count",
                   x.memory_bytes_max, 0, 16 * 1024 * 1024 * mib)),
  };
}

std::string check_load(const load_options& x) {
  if (x.high > 0 && x.low <= 0)
    return "load-low (0) must be above 0 unless load-high is 0";
  if (x.high > 0 && x.low >= x.high)
    return "load-low (" + format_share(x.low) + ") is not below load-high ("
           + format_share(x.high) + ')';
  if (x.memory_bytes_max != 0 && x.memory_bytes_max < mib)
    return "load-memory-max (" + format_size(x.memory_bytes_max)
           + ") is smaller than 1MiB; 0 sets no limit";
  return {};
}

} // namespace callboard::cmd
