#include "support/test.hpp"

#include <map>
#include <string>
#include <vector>

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/byte_buffer.hpp>

#include <callboard/messages/payload.hpp>

#include "messages/hex.hpp"

using namespace callboard;

namespace {

struct order {
  std::string item;
  int amount = 0;
  MSGPACK_DEFINE_MAP(item, amount)
};

} // namespace

CAF_TEST(the zero value is no payload) {
  payload x;
  CHECK(x.empty());
  CHECK(x.view().empty());
  CHECK_EQ(x.to_json(), "null");
  CHECK(!x.get_as<int>().has_value());
  CHECK(x.get_as<msgpack::type::nil_t>().has_value());
}

CAF_TEST(values are packed) {
  CHECK_EQ(to_hex(payload::pack(5).view().bytes), "05");
  auto x = payload::pack(order{"tea", 3});
  CHECK_EQ(x.to_json(), R"({"item":"tea","amount":3})");
  auto y = x.get_as<order>();
  REQUIRE(y.has_value());
  CHECK_EQ(y->item, "tea");
  CHECK_EQ(y->amount, 3);
}

CAF_TEST(JSON is read into values) {
  auto x = payload::from_json(R"({"amount": 4, "item": "t\u00e9"})");
  REQUIRE(x.has_value());
  CHECK(x->encoding() == codec::json);
  auto y = x->get_as<order>();
  REQUIRE(y.has_value());
  CHECK_EQ(y->item, "t\u00e9");
  CHECK_EQ(y->amount, 4);
  auto z = payload::from_json(R"([1,2])");
  REQUIRE(z.has_value());
  CHECK_EQ(z->get_as<std::vector<int>>(), std::vector<int>({1, 2}));
}

CAF_TEST(a value of another shape is none) {
  CHECK(!payload::pack("text").get_as<int>().has_value());
  CHECK(!payload::pack(-1).get_as<unsigned>().has_value());
  CHECK(!payload::pack(300).get_as<uint8_t>().has_value());
  CHECK(!payload::from_json("[]")->get_as<order>().has_value());
  payload broken{payload_view{codec::msgpack, "\xc1"}};
  CHECK(!broken.get_as<int>().has_value());
  CHECK_EQ(broken.to_json(), "null");
}

CAF_TEST(JSON of several lines becomes one) {
  auto x = payload::from_json("{\n  \"a\": [\r\n    1\n  ]\n}\n");
  REQUIRE(x.has_value());
  CHECK_EQ(x->to_json().find('\n'), std::string::npos);
  CHECK((x->get_as<std::map<std::string, std::vector<int>>>()
         == std::map<std::string, std::vector<int>>{{"a", {1}}}));
}

CAF_TEST(what is not JSON is no payload) {
  for (auto text :
       {"", " ", "{", "1 2", "nul", "\"a\nb\"", "\"\xff\"", "1e999"})
    CHECK(!payload::from_json(text).has_value());
}

CAF_TEST(payloads go to other nodes) {
  for (auto& x : {payload{}, payload::pack(order{"tea", 3}),
                  *payload::from_json("[1]")}) {
    caf::byte_buffer bytes;
    caf::binary_serializer sink{nullptr, bytes};
    CHECK(sink.apply(x));
    caf::binary_deserializer source{nullptr, bytes};
    payload y;
    CHECK(source.apply(y));
    CHECK(x.bytes() == y.bytes());
    CHECK(x.encoding() == y.encoding());
  }
}

CAF_TEST(an unknown codec from another node is refused) {
  caf::byte_buffer bytes;
  caf::binary_serializer sink{nullptr, bytes};
  CHECK(sink.apply(uint8_t{2}));
  CHECK(sink.apply(std::string{"x"}));
  caf::binary_deserializer source{nullptr, bytes};
  payload y;
  CHECK(!source.apply(y));
}
