#include <callboard/actors/inflight_table.hpp>

#include <map>
#include <random>

#include "support/test.hpp"

using namespace callboard;

using kind = inflight_kind;

CAF_TEST(what was added can be taken once and as what it is) {
  inflight_table table;
  auto call = table.add(7, kind::request, 3);
  CHECK(table.contains(7));
  CHECK(!table.contains(8));
  CHECK(table.contains(7, kind::request));
  CHECK(!table.contains(7, kind::publish));
  CHECK(!table.contains(8, kind::request));
  CHECK(!table.take(call, kind::publish).has_value());
  CHECK(!table.take(call + 1, kind::request).has_value());
  CHECK(!table.take_seq_id(7, kind::publish).has_value());
  CHECK(!table.take_seq_id(8, kind::request).has_value());
  CHECK_EQ(table.size(), 1u);
  auto taken = table.take(call, kind::request);
  REQUIRE(taken.has_value());
  CHECK_EQ(taken->seq_id, 7u);
  CHECK_EQ(taken->call_id, call);
  CHECK_EQ(taken->shard, 3u);
  CHECK(!table.take(call, kind::request).has_value());
  CHECK_EQ(table.size(), 0u);
}

CAF_TEST(a seqId that is used again gets another call ID) {
  inflight_table table;
  auto first = table.add(7, kind::request, 0);
  REQUIRE(table.take_seq_id(7, kind::request).has_value());
  auto second = table.add(7, kind::request, 0);
  CHECK_NE(first, second);
  CHECK(!table.take(first, kind::request).has_value());
  CHECK(table.take(second, kind::request).has_value());
}

CAF_TEST(requests and publishes are calls and the others are not ) {
  inflight_table table;
  table.add(1, kind::subscribe, 0);
  table.add(2, kind::register_action, 0);
  CHECK_EQ(table.calls(), 0u);
  table.add(3, kind::request, 0);
  table.add(4, kind::publish, 0);
  CHECK_EQ(table.calls(), 2u);
  CHECK_EQ(table.size(), 4u);
}

CAF_TEST(those of a shard are taken together and the others stay) {
  inflight_table table;
  for (uint32_t i = 1; i <= 10; ++i)
    table.add(i, i % 2 == 0 ? kind::publish : kind::request, i % 3);
  std::vector<uint32_t> taken;
  table.take_if([](auto& x) { return x.kind == kind::publish && x.shard == 1; },
                [&](auto& x) { taken.push_back(x.seq_id); });
  CHECK_EQ(taken, (std::vector<uint32_t>{4, 10}));
  CHECK_EQ(table.size(), 8u);
  CHECK(!table.contains(4));
  CHECK(table.contains(1));
  CHECK(table.contains(2));
}

CAF_TEST(what is added while others are taken stays) {
  inflight_table table;
  table.add(1, kind::request, 0);
  table.take_if([](auto&) { return true; },
                [&](auto& x) { table.add(x.seq_id + 1, kind::request, 0); });
  CHECK_EQ(table.size(), 1u);
  CHECK(table.contains(2));
}

CAF_TEST(the table agrees with a map on random work) {
  std::mt19937 random{7};
  inflight_table table;
  std::map<uint32_t, std::pair<kind, uint32_t>> model;
  for (int round = 0; round < 20'000; ++round) {
    uint32_t seq_id = random() % 64;
    auto what = static_cast<kind>(random() % 4);
    auto i = model.find(seq_id);
    REQUIRE_EQ(table.contains(seq_id), i != model.end());
    if (i == model.end()) {
      uint32_t shard = random() % 5;
      table.add(seq_id, what, shard);
      model[seq_id] = {what, shard};
    } else {
      auto taken = table.take_seq_id(seq_id, what);
      REQUIRE_EQ(taken.has_value(), i->second.first == what);
      if (taken) {
        REQUIRE_EQ(taken->shard, i->second.second);
        model.erase(i);
      }
    }
    REQUIRE_EQ(table.size(), model.size());
  }
}
