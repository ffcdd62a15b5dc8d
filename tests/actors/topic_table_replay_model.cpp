// Readers that come, go and come back while their topic is published to.

#include <algorithm>
#include <random>

#include "actors/replay_fixture.hpp"

using namespace callboard;

BEGIN_FIXTURE_SCOPE(replay_fixture)

CAF_TEST(everybody gets every event once and in order whatever happens) {
  std::mt19937 random{11};
  auto below = [&](size_t n) { return static_cast<size_t>(random() % n); };
  size_max = 300;
  slice_max = 40;
  std::deque<uint64_t> questions;
  struct reader {
    scribe* who;
    uint64_t last;
  };
  std::vector<reader> readers;
  auto take = [&](reader& x) {
    for (auto& word : x.who->words()) {
      if (word.starts_with("subscribed")) {
        if (word.ends_with(" lost"))
          x.last = std::stoull(word.substr(word.find('@') + 1));
      } else if (word.starts_with("position")) {
        x.last = std::stoull(word.substr(word.find('@') + 1));
      } else {
        REQUIRE_EQ(word, "a@" + std::to_string(x.last + 1));
        ++x.last;
      }
    }
  };
  for (int round = 0; round < 20'000; ++round) {
    switch (below(8)) {
      case 0: {
        auto missed = std::min<uint64_t>(head,
                                         below(below(10) == 0 ? 400 : 80));
        readers.push_back({&join(), head - missed});
        come_back(*readers.back().who, head - missed);
        break;
      }
      case 1:
        if (readers.size() > 20) {
          auto& x = readers[below(readers.size())];
          take(x);
          table.unsubscribe(*x.who->box, "a");
          std::swap(x, readers.back());
          readers.pop_back();
        }
        break;
      case 2:
        table.flush();
        table.advance();
        for (auto first : asked())
          questions.push_back(first);
        break;
      case 3:
        // The answer stands among the events as the owner sent them.
        if (!questions.empty()) {
          table.fetched(slice(questions.front()));
          questions.pop_front();
        }
        break;
      case 4:
        if (!readers.empty())
          take(readers[below(readers.size())]);
        break;
      default:
        publish(below(5), std::string(below(3000), 'x'));
    }
  }
  for (auto first : std::exchange(questions, {}))
    table.fetched(slice(first));
  settle();
  for (auto& x : readers) {
    take(x);
    settle();
    take(x);
    CHECK_EQ(x.last, head);
  }
  CHECK(readers.size() > 20);
}

END_FIXTURE_SCOPE()
