#include "support/test.hpp"

#include <algorithm>
#include <set>
#include <string>

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/byte_buffer.hpp>

#include <callboard/messages/errc.hpp>

using namespace callboard;

namespace {

struct row {
  errc code;
  uint8_t value;
  uint16_t number;
  const char* name;
  bool temporary;
};

// As in the protocol; the values go to other nodes.
constexpr row rows[] = {
  {errc::malformed_frame, 10, 100, "malformed_frame", false},
  {errc::unknown_type, 11, 101, "unknown_type", false},
  {errc::frame_too_large, 12, 102, "frame_too_large", false},
  {errc::bad_subject, 13, 103, "bad_subject", false},
  {errc::duplicate_seq_id, 14, 104, "duplicate_seq_id", false},
  {errc::too_many_inflight, 15, 105, "too_many_inflight", true},
  {errc::unexpected_frame, 16, 106, "unexpected_frame", false},
  {errc::bad_payload, 17, 107, "bad_payload", false},
  {errc::unauthenticated, 20, 200, "unauthenticated", false},
  {errc::token_expired, 21, 201, "token_expired", false},
  {errc::forbidden, 22, 202, "forbidden", false},
  {errc::no_responder, 30, 300, "no_responder", true},
  {errc::timeout, 31, 301, "timeout", true},
  {errc::responder_failed, 32, 302, "responder_failed", true},
  {errc::cancelled, 33, 303, "cancelled", false},
  {errc::circuit_open, 34, 304, "circuit_open", true},
  {errc::owner_down, 35, 305, "owner_down", true},
  {errc::not_subscribed, 40, 400, "not_subscribed", false},
  {errc::already_subscribed, 41, 401, "already_subscribed", false},
  {errc::too_many_subscriptions, 42, 402, "too_many_subscriptions", false},
  {errc::no_presence, 43, 403, "no_presence", false},
  {errc::rate_limited, 50, 500, "rate_limited", true},
  {errc::overloaded, 51, 501, "overloaded", true},
  {errc::shutting_down, 52, 502, "shutting_down", true},
  {errc::storage_unavailable, 53, 503, "storage_unavailable", true},
  {errc::internal, 59, 599, "internal", true},
};

} // namespace

CAF_TEST(the table is that of the protocol) {
  auto table = errc_table();
  REQUIRE_EQ(table.size(), std::size(rows));
  for (size_t i = 0; i < table.size(); ++i) {
    CHECK(table[i].code == rows[i].code);
    CHECK_EQ(static_cast<uint8_t>(table[i].code), rows[i].value);
    CHECK_EQ(table[i].number, rows[i].number);
    CHECK_EQ(table[i].name, rows[i].name);
    CHECK_EQ(table[i].temporary, rows[i].temporary);
    CHECK(table[i].sentence.ends_with('.'));
    CHECK_LT(table[i].number, application_errc_min);
  }
}

CAF_TEST(numbers names and codes lead to one another) {
  for (auto& row : rows) {
    CHECK_EQ(wire_number(row.code), row.number);
    CHECK(errc_from_wire(row.number) == row.code);
    CHECK_EQ(to_string(row.code), row.name);
    auto x = errc::none;
    CHECK(from_string(row.name, x));
    CHECK(x == row.code);
    x = errc::none;
    CHECK(from_integer(row.value, x));
    CHECK(x == row.code);
    CHECK_EQ(info(row.code).name, row.name);
  }
}

CAF_TEST(what is not in the table has no code) {
  for (auto number : {0u, 1u, 99u, 108u, 504u, 1000u, 65536u + 100u})
    CHECK(!errc_from_wire(number).has_value());
  auto x = errc::timeout;
  CHECK(!from_string("Timeout", x));
  CHECK(!from_string("", x));
  CHECK(!from_integer(1, x));
  CHECK(!from_integer(60, x));
  CHECK(x == errc::timeout);
  CHECK(info(static_cast<errc>(200)).code == errc::internal);
  CHECK_EQ(wire_number(static_cast<errc>(200)), 599);
}

CAF_TEST(none is no error) {
  CHECK_EQ(wire_number(errc::none), 0);
  CHECK_EQ(to_string(errc::none), "none");
  auto x = errc::timeout;
  CHECK(from_string("none", x));
  CHECK(x == errc::none);
  x = errc::timeout;
  CHECK(from_integer(0, x));
  CHECK(x == errc::none);
}

CAF_TEST(CAF keeps our codes) {
  for (auto& row : rows) {
    caf::error error{row.code};
    CHECK(error == row.code);
    CHECK(errc_of(error) == row.code);
    CHECK_EQ(to_string(error), row.name);
  }
  CHECK(errc_of(caf::error{}) == errc::none);
  CHECK(errc_of(caf::sec::request_timeout) == errc::internal);
}

CAF_TEST(codes go to other nodes) {
  for (auto& row : rows) {
    caf::byte_buffer bytes;
    caf::binary_serializer sink{nullptr, bytes};
    CHECK(sink.apply(row.code));
    caf::binary_deserializer source{nullptr, bytes};
    auto x = errc::none;
    CHECK(source.apply(x));
    CHECK(x == row.code);
  }
}
