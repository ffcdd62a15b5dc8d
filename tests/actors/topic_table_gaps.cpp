// What subscribers by a pattern are told of what they may have missed.

#include <callboard/actors/topic_table.hpp>

#include <string>
#include <utility>
#include <vector>

#include "actors/topic_table_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

namespace {

struct fixture : topic_table_fixture {
  fixture() {
    rules.push_back({"r/#", {.retain = true}});
  }

  // Asks the one shard for the last values of `r/#`.
  // @returns the number of the question.
  uint64_t ask() {
    auto asked = table.take_retained_queries(1);
    REQUIRE_EQ(asked.size(), 1u);
    return asked[0].second.number;
  }

  void answer(uint64_t number, std::vector<publication_ptr> values) {
    auto page = caf::make_counted<retained_page>();
    page->shard = 0;
    page->pattern = "r/#";
    page->number = number;
    page->values = std::move(values);
    page->own_done = true;
    table.fetched(*page);
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(a gap of a pattern stands between what came before and what comes) {
  auto& x = join();
  auto& y = join();
  auto& z = ready("a/1");
  attach(x, "a/#");
  attach(y, "a/#", false);
  x.words();
  y.words();
  deliver("a/1", 1);
  table.lose_events();
  deliver("a/1", 2);
  table.flush();
  CHECK_EQ(x.heard(), "a/1@1 by a/#; position a/# events lost; a/1@2 by a/#");
  CHECK_EQ(y.heard(), "value a/1@1 by a/#; position a/# events lost; "
                      "value a/1@2 by a/#");
  CHECK_EQ(z.heard(), "a/1@1; a/1@2");
}

CAF_TEST(only those of the patterns that are meant are told) {
  auto& x = join();
  attach(x, "a/#");
  attach(x, "b/#");
  x.words();
  table.lose_events([](auto& name) { return name == "b/#"; });
  CHECK_EQ(x.heard(), "position b/# events lost");
}

CAF_TEST(what is lost until shards know a pattern is told once they do) {
  auto& x = join();
  attach(x, "a/#");
  x.words();
  table.lose_until_attached("a/#");
  auto older = table.new_generation("a/#");
  table.pattern_attached("a/#", older, 0, 2);
  table.lose_until_attached("a/#");
  auto newer = table.new_generation("a/#");
  table.pattern_attached("a/#", older, 1, 2);
  table.pattern_attached("a/#", newer, 1, 2);
  CHECK_EQ(x.heard(), "");
  table.pattern_attached("a/#", newer, 0, 2);
  CHECK_EQ(x.heard(), "position a/# events lost");
  table.pattern_attached("a/#", newer, 0, 2);
  table.pattern_attached("a/#", table.new_generation("a/#"), 0, 1);
  CHECK_EQ(x.heard(), "");
}

CAF_TEST(who has yet to be answered has missed nothing) {
  auto& x = join();
  subscribe(x, "a/#", 1);
  auto generation = table.new_generation("a/#");
  table.lose_events();
  table.lose_until_attached("a/#");
  table.pattern_attached("a/#", generation, 0, 1);
  CHECK_EQ(x.heard(), "subscribed 1 a/#");
  table.pattern_attached("a/#", generation, 0, 1);
  CHECK_EQ(x.heard(), "");
}

CAF_TEST(a newcomer gets no last values from before a gap) {
  auto& x = join();
  attach(x, "r/#");
  auto before = ask();
  table.lose_events();
  auto after = ask();
  answer(before, {make_event("r/1", 1)});
  CHECK_EQ(x.heard(), "");
  answer(after, {make_event("r/1", 2)});
  CHECK_EQ(x.heard(), "subscribed 1 r/# values; r/1@2 by r/# retained");
}

CAF_TEST(who is given last values is told behind these) {
  auto& x = join(wire_form::msgpack, 1000);
  auto& y = join();
  for (auto* who : {&x, &y})
    attach(*who, "r/#", who == &x);
  std::string large(300, 'x');
  answer(ask(),
         {make_event("r/1", 1, "e", large), make_event("r/2", 1, "e", large)});
  CHECK_EQ(x.heard(), "subscribed 1 r/# values; r/1@1 by r/# retained");
  table.lose_events();
  deliver("r/1", 2);
  std::vector<std::string> told;
  for (int i = 0; i < 5; ++i) {
    table.flush();
    table.advance();
    for (auto& line : x.words())
      told.push_back(line);
  }
  CHECK_EQ(told,
           (std::vector<std::string>{"r/2@1 by r/# retained", "r/1@2 by r/#",
                                     "position r/# events lost"}));
  // It had all of them at once.
  CHECK_EQ(y.heard(), "subscribed 1 r/# values; value r/1@1 by r/# retained; "
                      "value r/2@1 by r/# retained; position r/# events lost; "
                      "value r/1@2 by r/#");
}

END_FIXTURE_SCOPE()
