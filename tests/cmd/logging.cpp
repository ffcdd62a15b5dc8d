#include <callboard/cmd/logging.hpp>

#include <spdlog/details/log_msg.h>
#include <spdlog/spdlog.h>

#include <callboard/net/log.hpp>

#include "support/test.hpp"

using namespace callboard::cmd;

namespace {

constexpr auto moment
  = spdlog::log_clock::time_point{std::chrono::milliseconds{1'700'000'000'042}};

template <class Formatter>
std::string format(const char* text) {
  spdlog::details::log_msg x{moment, spdlog::source_loc{}, "callboard.net",
                             spdlog::level::warn, text};
  spdlog::memory_buf_t out;
  Formatter{}.format(x, out);
  return {out.data(), out.size()};
}

std::string text(const char* x) {
  return format<text_formatter>(x);
}

// The members behind the layer.
std::string json(const char* x) {
  std::string head{"{\"time\":\"2023-11-14T22:13:20.042Z\","
                   "\"level\":\"warning\",\"layer\":\"callboard.net\","};
  auto line = format<json_formatter>(x);
  CAF_CHECK_EQUAL(line.substr(0, head.size()), head);
  return line.substr(std::min(head.size(), line.size()));
}

} // namespace

CAF_TEST(text lines begin with time and level and layer) {
  CAF_CHECK_EQUAL(text("a b c=1"),
                  "2023-11-14T22:13:20.042Z warning callboard.net a b c=1\n");
}

CAF_TEST(control characters cannot begin a line of their own) {
  CAF_CHECK_EQUAL(text("a\nb\x1b[0m"),
                  "2023-11-14T22:13:20.042Z warning callboard.net "
                  "a\\x0ab\\x1b[0m\n");
  CAF_CHECK_EQUAL(json("a\nb"), "\"event\":\"a\\nb\"}\n");
}

CAF_TEST(pairs become members) {
  CAF_CHECK_EQUAL(json("closed code=4002 name=slow_consumer after_ms=1.5"),
                  "\"event\":\"closed\",\"code\":4002,"
                  "\"name\":\"slow_consumer\",\"after_ms\":1.5}\n");
}

CAF_TEST(values may have spaces and quotes) {
  CAF_CHECK_EQUAL(json("closed why=no more, thanks n=1"),
                  "\"event\":\"closed\",\"why\":\"no more, thanks\","
                  "\"n\":1}\n");
  CAF_CHECK_EQUAL(json("closed why=\"a n=2\" n=1"),
                  "\"event\":\"closed\",\"why\":\"a n=2\",\"n\":1}\n");
}

CAF_TEST(only what JSON takes for a number is one) {
  CAF_CHECK_EQUAL(json("e a=007 b=-1 c=1. d=- e=12345678901234567890 f=0"),
                  "\"event\":\"e\",\"a\":\"007\",\"b\":-1,\"c\":\"1.\","
                  "\"d\":\"-\",\"e\":\"12345678901234567890\",\"f\":0}\n");
}

CAF_TEST(the names of the line itself keep their meaning) {
  CAF_CHECK_EQUAL(json("e level=9"), "\"event\":\"e\",\"level_\":9}\n");
}

CAF_TEST(a line of pairs alone has an empty event) {
  CAF_CHECK_EQUAL(json("a=1 b=2"), "\"event\":\"\",\"a\":1,\"b\":2}\n");
}

CAF_TEST(what is logged behind the end of the log is not heard) {
  auto before = spdlog::default_logger();
  flush_logging();
  callboard::logger("late")->error("nobody hears this");
  spdlog::set_default_logger(before);
  CAF_CHECK(spdlog::get("callboard.late") == nullptr);
}
