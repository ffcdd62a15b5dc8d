#include "logging.hpp"

#include <charconv>

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "json_text.hpp"

namespace callboard::cmd {

namespace {

constexpr size_t queued_lines_max = 8192;

void append(spdlog::memory_buf_t& out, std::string_view text) {
  out.append(text.data(), text.data() + text.size());
}

std::string_view view(spdlog::string_view_t x) {
  return {x.data(), x.size()};
}

// Appends the time as in RFC 3339, UTC, in milliseconds.
void append_time(std::string& out, spdlog::log_clock::time_point x) {
  using namespace std::chrono;
  auto since_epoch = x.time_since_epoch();
  auto s = duration_cast<seconds>(since_epoch);
  auto ms = duration_cast<milliseconds>(since_epoch - s).count();
  auto time = static_cast<time_t>(s.count());
  tm parts{};
  gmtime_r(&time, &parts);
  char text[40];
  auto n = strftime(text, sizeof(text), "%FT%T", &parts);
  n += static_cast<size_t>(
    snprintf(text + n, sizeof(text) - n, ".%03dZ", static_cast<int>(ms)));
  out.append(text, n);
}

// Whether `x` is a number as JSON writes it: digits, with or without a sign
// and a fraction.
bool is_number(std::string_view x) {
  if (!x.empty() && x.front() == '-')
    x.remove_prefix(1);
  auto dot = std::min(x.find('.'), x.size());
  auto whole = x.substr(0, dot);
  auto fraction = x.substr(dot);
  auto digits = [](std::string_view y) {
    return !y.empty()
           && y.find_first_not_of("0123456789") == std::string_view::npos;
  };
  return digits(whole) && (whole.size() == 1 || whole.front() != '0')
         && whole.size() < 16
         && (fraction.empty() || digits(fraction.substr(1)));
}

// Whether `x` begins with a key and `=`.
bool begins_pair(std::string_view x) {
  auto end = x.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_");
  return end != std::string_view::npos && end > 0 && x[end] == '=';
}

// Cuts the event, or a pair, from the front of `rest`: it ends where the next
// pair begins. A value in double quotes may hold anything.
std::string_view next_part(std::string_view& rest) {
  bool quoted = false;
  size_t end = 0;
  for (; end < rest.size(); ++end) {
    if (rest[end] == '"')
      quoted = !quoted;
    else if (rest[end] == ' ' && !quoted && begins_pair(rest.substr(end + 1)))
      break;
  }
  auto part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

} // namespace

void text_formatter::format(const spdlog::details::log_msg& x,
                            spdlog::memory_buf_t& out) {
  std::string line;
  append_time(line, x.time);
  line += ' ';
  line += view(spdlog::level::to_string_view(x.level));
  line += ' ';
  line += view(x.logger_name);
  line += ' ';
  for (auto c : view(x.payload)) {
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) {
      line += c;
    } else {
      char text[8];
      snprintf(text, sizeof(text), "\\x%02x", static_cast<unsigned char>(c));
      line += text;
    }
  }
  line += '\n';
  append(out, line);
}

std::unique_ptr<spdlog::formatter> text_formatter::clone() const {
  return std::make_unique<text_formatter>();
}

void json_formatter::format(const spdlog::details::log_msg& x,
                            spdlog::memory_buf_t& out) {
  std::string line{"{\"time\":\""};
  append_time(line, x.time);
  line += "\",\"level\":";
  append_json(line, view(spdlog::level::to_string_view(x.level)));
  line += ",\"layer\":";
  append_json(line, view(x.logger_name));
  line += ",\"event\":";
  auto rest = view(x.payload);
  if (begins_pair(rest))
    line += "\"\"";
  else
    append_json(line, next_part(rest));
  while (!rest.empty()) {
    auto part = next_part(rest);
    auto equals = part.find('=');
    auto key = part.substr(0, equals);
    auto value = part.substr(equals + 1);
    line += ',';
    // Names that the line has already keep their meaning.
    append_json(line, key == "time" || key == "level" || key == "layer"
                          || key == "event"
                        ? std::string{key} + '_'
                        : std::string{key});
    line += ':';
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
    if (is_number(value))
      line += value;
    else
      append_json(line, value);
  }
  line += "}\n";
  append(out, line);
}

std::unique_ptr<spdlog::formatter> json_formatter::clone() const {
  return std::make_unique<json_formatter>();
}

void set_up_logging(const std::string& level, const std::string& format) {
  spdlog::init_thread_pool(queued_lines_max, 1);
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  auto logger = std::make_shared<spdlog::async_logger>(
    "callboard", sink, spdlog::thread_pool(),
    spdlog::async_overflow_policy::overrun_oldest);
  spdlog::set_default_logger(logger);
  if (format == "json")
    spdlog::set_formatter(std::make_unique<json_formatter>());
  else
    spdlog::set_formatter(std::make_unique<text_formatter>());
  set_log_level(level);
}

void set_log_level(const std::string& level) {
  spdlog::set_level(level == "error" ? spdlog::level::err
                                     : spdlog::level::from_str(level));
}

std::string get_log_level() {
  switch (spdlog::get_level()) {
    case spdlog::level::trace:
    case spdlog::level::debug:
      return "debug";
    case spdlog::level::info:
      return "info";
    case spdlog::level::warn:
      return "warn";
    case spdlog::level::off:
      return "off";
    default:
      return "error";
  }
}

void flush_logging() {
  spdlog::shutdown();
}

} // namespace callboard::cmd
