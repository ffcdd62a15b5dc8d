// Takes the input as a pattern and a topic with a NUL between them, and
// compares with rules that are written down as plainly as the protocol has
// them.

#include <cstdint>
#include <string_view>
#include <vector>

#include <callboard/messages/topic.hpp>

#include "fuzz/frames.hpp"

namespace {

using namespace callboard;

using fuzz::require;

using segments = std::vector<std::string_view>;

segments split(std::string_view x) {
  segments result;
  for (;;) {
    auto slash = x.find('/');
    result.push_back(x.substr(0, slash));
    if (slash == std::string_view::npos)
      return result;
    x = x.substr(slash + 1);
  }
}

bool matches_from(const segments& pattern, const segments& topic, size_t i) {
  if (i == pattern.size() || i == topic.size())
    return i == pattern.size() && i == topic.size();
  if (pattern[i] == "#")
    return true;
  if (pattern[i] != "+" && pattern[i] != topic[i])
    return false;
  return matches_from(pattern, topic, i + 1);
}

bool plainly_matches(const segments& pattern, const segments& topic) {
  if (topic[0].starts_with('$') && pattern[0] != topic[0])
    return false;
  return matches_from(pattern, topic, 0);
}

bool is_usable(subject_error x) {
  return x == subject_error::none || x == subject_error::reserved;
}

// What every subject that passes has.
void check_grammar(std::string_view x) {
  require(!x.empty() && x.size() <= subject_bytes_max);
  for (auto segment : split(x))
    require(!segment.empty());
  for (auto c : x)
    require(static_cast<uint8_t>(c) >= 0x20 && c != 0x7f);
}

void check(std::string_view x) {
  auto topic = check_topic(x);
  auto pattern = check_pattern(x);
  require((to_sentence(topic).empty()) == (topic == subject_error::none));
  if (is_usable(topic)) {
    check_grammar(x);
    require(pattern == topic && !is_pattern(x) && matches(x, x));
    require((topic == subject_error::reserved) == x.starts_with('$'));
    require(is_usable(check_action(x)));
  } else {
    require(check_action(x) == topic);
  }
  if (is_usable(pattern)) {
    check_grammar(x);
    auto parts = split(x);
    for (size_t i = 0; i < parts.size(); ++i) {
      require(!is_pattern(parts[i]) || parts[i].size() == 1);
      require(parts[i] != "#" || i + 1 == parts.size());
    }
    require(is_usable(topic) || topic == subject_error::wildcard);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input{reinterpret_cast<const char*>(data), size};
  auto cut = input.find('\0');
  auto pattern = input.substr(0, cut);
  auto topic = cut == std::string_view::npos ? std::string_view{}
                                             : input.substr(cut + 1);
  check(pattern);
  check(topic);
  if (is_usable(check_pattern(pattern)) && is_usable(check_topic(topic)))
    require(matches(pattern, topic)
            == plainly_matches(split(pattern), split(topic)));
  return 0;
}
