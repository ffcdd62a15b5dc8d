#include "report.hpp"

#include <cstdarg>
#include <cstdio>
#include <utility>
#include <vector>

namespace callboard::cmd::bench {

namespace {

constexpr std::pair<const char*, double> percentiles[]{
  {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}};

[[gnu::format(printf, 1, 2)]] std::string format(const char* pattern, ...) {
  char buffer[512];
  va_list args;
  va_start(args, pattern);
  vsnprintf(buffer, sizeof(buffer), pattern, args);
  va_end(args);
  return buffer;
}

/// Returns nanoseconds of CPU for each delivery.
double each(int64_t cpu_ns, const bench_result& result) {
  auto count = result.window.delivered;
  return count == 0 ? 0.0
                    : static_cast<double>(cpu_ns) / static_cast<double>(count);
}

double memory_each(const bench_result& result) {
  if (result.connections == 0
      || result.server_bytes_after < result.server_bytes_before)
    return 0;
  return static_cast<double>(result.server_bytes_after
                             - result.server_bytes_before)
         / result.connections;
}

const char* unit(bench_mode mode) {
  return mode == bench_mode::echo ? "round trips" : "deliveries";
}

std::string what(const bench_options& opts) {
  auto rate = [&opts] { return scaled(opts.rate) + "/s"; };
  auto window = [&opts] { return format("window %u", opts.window); };
  switch (opts.mode) {
    case bench_mode::echo:
      return format("%u connections, %s, %u bytes, %s", opts.connections,
                    opts.rate > 0 ? (rate() + ", " + window()).c_str()
                                  : window().c_str(),
                    opts.payload_bytes,
                    opts.websocket_echo.empty() ? "requests to callboard.echo"
                                                : "plain WebSocket messages");
    case bench_mode::fanout:
      return format("%u subscribers, %u publisher%s, %s, %u bytes",
                    opts.connections, opts.publishers,
                    opts.publishers == 1 ? "" : "s",
                    (opts.rate > 0 ? rate() : window()).c_str(),
                    opts.payload_bytes);
    case bench_mode::comeback:
      return format("%u subscribers that come back after %g s beside %u that "
                    "stay, %s, %u bytes",
                    opts.connections, opts.away_s, opts.watchers,
                    rate().c_str(), opts.payload_bytes);
    case bench_mode::rooms:
      return format("%u rooms of %u, window %u, %u bytes", opts.rooms,
                    opts.members, opts.window, opts.payload_bytes);
    default:
      return format("%u connections, %s", opts.connections,
                    opts.topics == 0
                      ? "no subscription"
                      : (format("each in one of %u topic%s", opts.topics,
                                opts.topics == 1 ? "" : "s")
                           .c_str()));
  }
}

std::string percentiles_of(const histogram& latency) {
  std::string result;
  for (auto [name, share] : percentiles)
    result += std::string{name} + " "
              + duration_text(static_cast<double>(latency.percentile(share)))
              + ", ";
  return result + "max " + duration_text(static_cast<double>(latency.max()));
}

// Returns how many errors had which code: `500: 3, 501: 12`.
std::string errors_of(const tally& counts) {
  std::string result;
  for (auto& [code, count] : counts.errors_by_code)
    result += (result.empty() ? "" : ", ") + std::to_string(code) + ": "
              + std::to_string(count);
  return result;
}

// Returns what became of the connections that say nothing.
std::string silent_text(const tally& counts) {
  auto& cut = counts.silent_cut;
  auto text = format("%llu made, %llu cut off by the server",
                     static_cast<unsigned long long>(counts.silent),
                     static_cast<unsigned long long>(cut.count()));
  if (cut.count() == 0)
    return text;
  return text + ", after " + duration_text(static_cast<double>(cut.min()))
         + " to " + duration_text(static_cast<double>(cut.max()));
}

// Returns what became of the subscribers that stopped reading.
std::string stalled_text(const bench_options& opts, const tally& counts) {
  return format("%llu of %u cut off by the server",
                static_cast<unsigned long long>(counts.stalled_ended),
                opts.stalled)
         + (counts.stalled_end.empty() ? "" : ": " + counts.stalled_end);
}

std::string json_quoted(const std::string& text) {
  std::string result = "\"";
  for (auto c : text) {
    if (c == '"' || c == '\\')
      (result += '\\') += c;
    else if (static_cast<unsigned char>(c) < ' ')
      result += format("\\u%04x", static_cast<unsigned>(c));
    else
      result += c;
  }
  return result += '"';
}

/// Writes one flat JSON object.
class object {
public:
  void text(const char* name, const std::string& value) {
    add(name, json_quoted(value));
  }

  void count(const char* name, uint64_t value) {
    add(name, std::to_string(value));
  }

  void number(const char* name, double value) {
    add(name, format("%.6g", value));
  }

  void flag(const char* name, bool value) {
    add(name, value ? "true" : "false");
  }

  void add(const std::string& name, const std::string& value) {
    out_ += out_.empty() ? "{" : ", ";
    out_ += json_quoted(name) + ": " + value;
  }

  std::string str() const {
    return (out_.empty() ? "{" : out_) + "}";
  }

private:
  std::string out_;
};

void add_percentiles(object& out, const std::string& what,
                     const histogram& latency) {
  for (auto [name, share] : percentiles)
    out.number((what + '_' + name + "_us").c_str(),
               static_cast<double>(latency.percentile(share)) / 1e3);
  out.number((what + "_max_us").c_str(),
             static_cast<double>(latency.max()) / 1e3);
}

} // namespace

std::string scaled(double value) {
  const char* suffix[]{"", " k", " M", " G"};
  size_t i = 0;
  for (; value >= 1000 && i < 3; ++i)
    value /= 1000;
  return format(i == 0       ? "%.4g%s"
                : value < 10 ? "%.3f%s"
                             : "%.4g%s",
                value, suffix[i]);
}

std::string duration_text(double nanoseconds) {
  if (nanoseconds < 1e3)
    return format("%.0f ns", nanoseconds);
  if (nanoseconds < 1e6)
    return format("%.3g us", nanoseconds / 1e3);
  if (nanoseconds < 1e9)
    return format("%.3g ms", nanoseconds / 1e6);
  return format("%.3g s", nanoseconds / 1e9);
}

std::string summary(const bench_options& opts, const bench_result& result) {
  if (!result.failure.empty())
    return {};
  auto& counts = result.counts;
  auto seconds = static_cast<double>(result.window.elapsed_ns) / 1e9;
  std::string out = format("%s of %s: %s\n", to_string(opts.mode),
                           opts.url.c_str(), what(opts).c_str());
  auto line = [&out](const char* name, const std::string& value) {
    out += format("  %-12s", name) + value + '\n';
  };
  if (opts.mode == bench_mode::idle) {
    line("connected",
         format("in %.2f s, held %.1f s", result.connect_s, seconds));
  } else {
    line(unit(opts.mode),
         scaled(result.rate()) + "/s"
           + format(" (%llu in %.2f s)",
                    static_cast<unsigned long long>(result.window.delivered),
                    seconds));
    if (opts.mode == bench_mode::comeback) {
      line("came back",
           format("%llu of %u, with all that they had missed, in %.2f s",
                  static_cast<unsigned long long>(counts.returned),
                  opts.connections,
                  static_cast<double>(counts.comeback_ns) / 1e9));
      line("before", percentiles_of(counts.steady_latency));
    }
    line(opts.mode == bench_mode::comeback ? "meanwhile" : "latency",
         percentiles_of(counts.latency));
  }
  line("trouble",
       format("%llu lost, %llu out of order, %llu corrupt, %llu errors, "
              "%llu connections closed",
              static_cast<unsigned long long>(counts.lost),
              static_cast<unsigned long long>(counts.misordered),
              static_cast<unsigned long long>(counts.corrupt),
              static_cast<unsigned long long>(counts.errors),
              static_cast<unsigned long long>(counts.closed)));
  if (counts.unsent > 0)
    line("unsent", format("%llu requests were due when no connection had room "
                          "for them",
                          static_cast<unsigned long long>(counts.unsent)));
  if (!counts.errors_by_code.empty())
    line("errors", errors_of(counts));
  if (!counts.trouble.empty())
    line("", "first: " + counts.trouble);
  if (opts.silent > 0)
    line("silent", silent_text(counts));
  if (opts.stalled > 0)
    line("stalled", stalled_text(opts, counts));
  auto has_work = result.window.delivered > 0;
  line("load CPU",
       format("%.0f %% of %u core%s", 100 * result.load_use(opts), opts.threads,
              opts.threads == 1 ? "" : "s")
         + (has_work ? ", " + duration_text(each(result.window.cpu_ns, result))
                         + " each"
                     : ""));
  if (result.server_cores > 0) {
    line("server CPU",
         format("%.0f %% of %u core%s", 100 * result.server_use(),
                result.server_cores, result.server_cores == 1 ? "" : "s")
           + (has_work
                ? ", " + duration_text(each(result.server_cpu_ns, result))
                    + " each"
                : ""));
    line("server RSS",
         format("%.1f MiB, %.0f bytes a connection",
                static_cast<double>(result.server_bytes_after) / 1048576,
                memory_each(result)));
  }
  if (result.limited_by_load(opts))
    line("note", "the load generator was the limit, not the server");
  return out;
}

namespace {

void add_bystanders(object& out, const bench_options& opts,
                    const tally& counts) {
  if (opts.silent > 0) {
    auto& cut = counts.silent_cut;
    auto seconds = [](uint64_t ns) { return static_cast<double>(ns) / 1e9; };
    out.count("silent", counts.silent);
    out.count("silent_cut", cut.count());
    out.number("silent_cut_min_s", seconds(cut.min()));
    out.number("silent_cut_p50_s", seconds(cut.percentile(0.5)));
    out.number("silent_cut_max_s", seconds(cut.max()));
  }
  if (opts.stalled > 0) {
    out.count("stalled", opts.stalled);
    out.count("stalled_cut", counts.stalled_ended);
    out.text("stalled_end", counts.stalled_end);
  }
}

void add_errors(object& out, const tally& counts) {
  object codes;
  for (auto& [code, count] : counts.errors_by_code)
    codes.count(std::to_string(code).c_str(), count);
  out.count("errors", counts.errors);
  out.add("errors_by_code", codes.str());
}

} // namespace

std::string to_json(const bench_options& opts, const bench_result& result) {
  object out;
  auto& counts = result.counts;
  auto& window = result.window;
  out.text("mode", to_string(opts.mode));
  out.text("what", what(opts));
  if (!result.failure.empty()) {
    out.text("failure", result.failure);
    return out.str();
  }
  out.count("connections", result.connections);
  out.number("connect_s", result.connect_s);
  out.number("elapsed_s", static_cast<double>(window.elapsed_ns) / 1e9);
  out.add("measured_until", format("%.3f", result.measured_until_s));
  out.count("published", window.published);
  out.count("delivered", window.delivered);
  out.number("delivered_per_s", result.rate());
  out.count("received_bytes", window.received_bytes);
  add_percentiles(out, "latency", counts.latency);
  if (opts.mode == bench_mode::comeback) {
    add_percentiles(out, "steady_latency", counts.steady_latency);
    out.count("returned", counts.returned);
    out.number("comeback_s", static_cast<double>(counts.comeback_ns) / 1e9);
  }
  out.count("lost", counts.lost);
  out.count("unsent", counts.unsent);
  out.count("misordered", counts.misordered);
  out.count("corrupt", counts.corrupt);
  add_errors(out, counts);
  out.count("closed", counts.closed);
  out.text("trouble", counts.trouble);
  add_bystanders(out, opts, counts);
  out.number("load_use", result.load_use(opts));
  out.number("load_ns_each", each(window.cpu_ns, result));
  if (result.server_cores > 0) {
    out.number("server_use", result.server_use());
    out.number("server_ns_each", each(result.server_cpu_ns, result));
    out.count("server_cores", result.server_cores);
    out.count("server_resident_bytes", result.server_bytes_after);
    out.number("server_bytes_per_connection", memory_each(result));
  }
  out.flag("limited_by_load", result.limited_by_load(opts));
  return out.str();
}

} // namespace callboard::cmd::bench
