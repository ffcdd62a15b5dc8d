#include "support/test.hpp"

#include <algorithm>

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/byte_buffer.hpp>
#include <caf/deep_to_string.hpp>

#include <callboard/messages/close_code.hpp>

using namespace callboard;

namespace {

struct row {
  uint16_t number;
  const char* name;
};

constexpr row rows[] = {
  {1000, "normal"},
  {1001, "going_away"},
  {1002, "protocol_error"},
  {1003, "unsupported_data"},
  {1005, "no_status"},
  {1006, "abnormal"},
  {1007, "invalid_payload"},
  {1008, "policy_violation"},
  {1009, "message_too_big"},
  {1011, "internal_error"},
  {4000, "heartbeat_timeout"},
  {4001, "idle_timeout"},
  {4002, "slow_consumer"},
  {4003, "overloaded"},
  {4004, "draining"},
  {4005, "connect_timeout"},
  {4500, "unauthenticated"},
  {4501, "forbidden"},
  {4502, "protocol_violation"},
  {4503, "kicked"},
  {4504, "limit_exceeded"},
};

} // namespace

CAF_TEST(the table is that of the protocol) {
  auto table = close_code_table();
  REQUIRE_EQ(table.size(), std::size(rows));
  for (size_t i = 0; i < table.size(); ++i) {
    CHECK_EQ(static_cast<uint16_t>(table[i].code), rows[i].number);
    CHECK_EQ(table[i].name, rows[i].name);
    CHECK_EQ(to_string(table[i].code), rows[i].name);
    CHECK(table[i].sentence.ends_with('.'));
    auto x = close_code::normal;
    CHECK(from_string(rows[i].name, x));
    CHECK(x == table[i].code);
    x = close_code::normal;
    CHECK(from_integer(rows[i].number, x));
    CHECK(x == table[i].code);
  }
}

CAF_TEST(other numbers have no name) {
  CHECK_EQ(to_string(static_cast<close_code>(3000)), "unknown");
  auto x = close_code::kicked;
  CHECK(!from_integer(4505, x));
  CHECK(!from_string("unknown", x));
  CHECK(x == close_code::kicked);
}

CAF_TEST(the range says whether to connect again) {
  for (auto code : {1002, 1003, 1007, 1008, 1009, 4500, 4504, 4999})
    CHECK(advice(static_cast<uint16_t>(code)) == reconnect_advice::never);
  for (auto code : {0, 1000, 1001, 1004, 1005, 1006, 1010, 1011, 1012, 3000,
                    3999, 4000, 4499, 5000})
    CHECK(advice(static_cast<uint16_t>(code)) == reconnect_advice::backoff);
}

CAF_TEST(codes go to other nodes) {
  for (auto& row : close_code_table()) {
    caf::byte_buffer bytes;
    caf::binary_serializer sink{nullptr, bytes};
    CHECK(sink.apply(row.code));
    caf::binary_deserializer source{nullptr, bytes};
    auto x = close_code::normal;
    CHECK(source.apply(x));
    CHECK(x == row.code);
  }
  auto x = close_code::kicked;
  CHECK_EQ(caf::deep_to_string(x), R"("kicked")");
}
