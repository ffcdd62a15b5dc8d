#include <callboard/store/event_run.hpp>

#include <optional>

#include "support/test.hpp"

using namespace callboard;

namespace {

publication_ptr make_event(uint64_t offset, const std::string& sender = "s") {
  auto x = caf::make_counted<publication>();
  x->offset = offset;
  x->timestamp = 1'763'700'000'123;
  x->sender = sender;
  x->id = "id";
  x->payload = payload::pack(offset);
  return x;
}

std::string run_of(uint64_t first, uint64_t last) {
  event_run run;
  run.clear(5);
  for (auto i = first; i <= last; ++i)
    run.add(*make_event(i));
  CHECK_EQ(run.first(), first);
  CHECK_EQ(run.last(), last);
  return run.bytes();
}

bool reads(std::string_view bytes, uint64_t first, uint64_t last) {
  std::vector<publication_ptr> out;
  return read_run(bytes, {"a", "e", 5}, first, last, out);
}

} // namespace

CAF_TEST(a run is read as it was written) {
  std::vector<publication_ptr> out;
  REQUIRE(read_run(run_of(7, 9), {"a", "e", 5}, 7, 9, out));
  REQUIRE_EQ(out.size(), 3u);
  for (uint64_t i = 0; i < 3; ++i) {
    CHECK_EQ(out[i]->topic, "a");
    CHECK_EQ(out[i]->epoch, "e");
    CHECK_EQ(out[i]->offset, 7 + i);
    CHECK_EQ(out[i]->timestamp, 1'763'700'000'123);
    CHECK_EQ(out[i]->payload.to_json(), std::to_string(7 + i));
  }
}

CAF_TEST(long texts and extreme numbers keep their values) {
  event_run run;
  run.clear(UINT64_MAX);
  auto x = make_event(UINT64_MAX, std::string(100'000, 'x'));
  x->timestamp = -1;
  x->no_echo = true;
  x->publisher = UINT64_MAX;
  run.add(*x);
  std::vector<publication_ptr> out;
  REQUIRE(
    read_run(run.bytes(), {"a", "e", UINT64_MAX}, UINT64_MAX, UINT64_MAX, out));
  CHECK_EQ(out[0]->sender, x->sender);
  CHECK_EQ(out[0]->timestamp, -1);
  CHECK_EQ(out[0]->publisher, UINT64_MAX);
}

CAF_TEST(a run is all of its events and nothing else) {
  auto bytes = run_of(7, 9);
  CHECK(reads(bytes, 7, 9));
  CHECK(!reads(bytes, 7, 8));
  CHECK(!reads(bytes, 7, 10));
  CHECK(!reads(bytes, 0, 2));
  CHECK(!reads(bytes, 9, 7));
  CHECK(!reads(bytes + '\0', 7, 9));
  bytes[0] = 2;
  CHECK(!reads(bytes, 7, 9));
}

CAF_TEST(no part of a run is taken for one) {
  auto bytes = run_of(1, 2);
  for (size_t n = 0; n < bytes.size(); ++n)
    CHECK(!reads(std::string_view{bytes}.substr(0, n), 1, 2));
  // The first length, far beyond the end.
  auto at = bytes.find("\1s");
  for (size_t i = 0; i < 9; ++i)
    bytes.insert(at, 1, '\xFF');
  CHECK(!reads(bytes, 1, 2));
}

CAF_TEST(an unknown flag is not read over) {
  auto bytes = run_of(1, 1);
  auto at = bytes.find("\1s") - 1;
  CHECK_EQ(bytes[at], 0);
  bytes[at] = 8;
  CHECK(!reads(bytes, 1, 1));
}

CAF_TEST(ids are read as they were written) {
  std::vector<stored_id> ids{{"1:ab", 1, 2}, {"", UINT64_MAX, INT64_MAX}};
  auto bytes = write_ids(ids);
  std::vector<stored_id> out;
  CHECK(read_ids(bytes, out));
  CHECK(out == ids);
  CHECK(read_ids({}, out));
  out.clear();
  CHECK(!read_ids(std::string_view{bytes}.substr(0, bytes.size() - 1), out));
}

CAF_TEST(open events are read as they were written) {
  auto read = [](std::string_view bytes, uint64_t place) {
    group_place x;
    x.place = place;
    return read_open_events(bytes, x) ? std::optional{x} : std::nullopt;
  };
  group_place x{"", 5, 900, {{6, 1}, {7, 0}, {300, UINT32_MAX}, {900, 2}}};
  auto bytes = write_open_events(x);
  CHECK(read(bytes, 5) == x);
  CHECK(read(write_open_events({"", 7, 7, {}}), 7)
        == group_place({"", 7, 7, {}}));
  for (size_t n = 0; n < bytes.size(); ++n)
    if (auto part = read(std::string_view{bytes}.substr(0, n), 5))
      CHECK(part->open.size() < 4);
  CHECK(!read({}, 5));
  // Behind its reach, and not behind the one before.
  CHECK(!read(std::string_view{"\2\3\1", 3}, 5));
  CHECK(read(std::string_view{"\2\2\1", 3}, 5));
  CHECK(!read(std::string_view{"\2\1\1\0\1", 5}, 5));
}
