#include <callboard/cmd/units.hpp>

#include <limits>
#include <string>
#include <string_view>

#include "support/test.hpp"

using namespace callboard::cmd;
using namespace std::chrono_literals;

namespace {

std::string duration(std::string_view text) {
  auto x = parse_duration(text);
  return x ? format_duration(*x) : "none";
}

std::string size(std::string_view text) {
  auto x = parse_size(text);
  return x ? format_size(*x) : "none";
}

} // namespace

CAF_TEST(durations are read and written) {
  CAF_CHECK_EQUAL(parse_duration("500ms"), caf::timespan{500ms});
  CAF_CHECK_EQUAL(parse_duration("30s"), caf::timespan{30s});
  CAF_CHECK_EQUAL(parse_duration("2m"), caf::timespan{2min});
  CAF_CHECK_EQUAL(parse_duration("1h"), caf::timespan{1h});
  CAF_CHECK_EQUAL(duration("0s"), "0s");
  CAF_CHECK_EQUAL(duration("120s"), "2m");
  CAF_CHECK_EQUAL(duration("1500ms"), "1500ms");
}

CAF_TEST(a number without a unit is no duration) {
  CAF_CHECK_EQUAL(duration("30"), "none");
  CAF_CHECK_EQUAL(duration("0"), "none");
}

CAF_TEST(what is no duration is refused) {
  for (auto text : {"", "s", "-1s", "+1s", "1.5s", "1 s", "1S", "1s ", "1sm",
                    "1us", "9223372036854775807h", "99999999999999999999ms"})
    CAF_CHECK_EQUAL(duration(text), "none");
}

CAF_TEST(the largest duration fits) {
  CAF_CHECK_EQUAL(duration("2562047h"), "2562047h");
  CAF_CHECK_EQUAL(duration("2562048h"), "none");
}

CAF_TEST(sizes are read and written) {
  CAF_CHECK_EQUAL(parse_size("65536"), 65'536u);
  CAF_CHECK_EQUAL(parse_size("64KiB"), 65'536u);
  CAF_CHECK_EQUAL(parse_size("1MiB"), 1'048'576u);
  CAF_CHECK_EQUAL(parse_size("128B"), 128u);
  CAF_CHECK_EQUAL(size("2048"), "2KiB");
  CAF_CHECK_EQUAL(size("2049"), "2049B");
  CAF_CHECK_EQUAL(size("0"), "0B");
}

CAF_TEST(what is no size is refused) {
  for (auto text : {"", "KiB", "-1", "1.5MiB", "1MB", "1k", "1 MiB", "0x10",
                    "17179869184GiB", "18446744073709551616"})
    CAF_CHECK_EQUAL(size(text), "none");
}

CAF_TEST(shares are read and written) {
  CAF_CHECK_EQUAL(parse_share("0"), 0.0);
  CAF_CHECK_EQUAL(parse_share("0.5"), 0.5);
  CAF_CHECK_EQUAL(parse_share("0.07"), 0.07);
  CAF_CHECK_EQUAL(parse_share("1"), 1.0);
  CAF_CHECK_EQUAL(parse_share("1.000"), 1.0);
  CAF_CHECK_EQUAL(parse_share("12.25"), 12.25);
  CAF_CHECK_EQUAL(format_share(0.5), "0.5");
  CAF_CHECK_EQUAL(format_share(0), "0");
  CAF_CHECK_EQUAL(format_share(1), "1");
}

CAF_TEST(shares of any size are written as they are read) {
  CAF_CHECK_EQUAL(format_share(0.0001), "0.0001");
  CAF_CHECK_EQUAL(format_share(0.000001), "0.000001");
  CAF_CHECK_EQUAL(format_share(1e22), "1" + std::string(22, '0'));
  using limits = std::numeric_limits<double>;
  for (auto x : {0.0001, 1e-7, 1.0 / 3, 0.1 + 0.2, limits::denorm_min(),
                 limits::min(), limits::max()})
    CAF_CHECK_EQUAL(parse_share(format_share(x)), x);
}

CAF_TEST(what is no share is refused) {
  for (auto text : {"", ".", ".5", "1.", "-0.5", "+0.5", "0,5", "50%", "1e-1",
                    "1e1", "0x1", "nan", "inf", " 1", "1 ", "0.5.5"})
    CAF_CHECK(!parse_share(text));
}

CAF_TEST(switches know both ways) {
  for (auto text : {"true", "yes", "on", "1"})
    CAF_CHECK_EQUAL(parse_switch(text), true);
  for (auto text : {"false", "no", "off", "0"})
    CAF_CHECK_EQUAL(parse_switch(text), false);
  for (auto text : {"", "TRUE", "2", "maybe"})
    CAF_CHECK(!parse_switch(text));
}
