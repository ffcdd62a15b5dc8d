#include <callboard/actors/topic_table.hpp>

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <callboard/actors/topic_table_parts.hpp>

// The last values of the topics that match a pattern, for those who are new to
// it. They are behind until they have them. The shards are asked for the values
// in pages, and each page takes its place among the events that come from its
// shard: what was published to a topic before its page is older than the value
// in it, or has no newcomer's attention yet; what is published behind it is
// kept. With the last page the newcomers are answered and given the values,
// then what was kept, and join the receivers. Those who come meanwhile wait for
// the next round.

namespace callboard {

namespace {

// What may be published behind the pages of one round, in bytes.
constexpr int64_t since_bytes_max = 4 * 1024 * 1024;

// Returns the last one of each topic, in order: one that has gone to another
// node between two pages may be in both.
std::vector<publication_ptr>
last_of_each(const std::vector<publication_ptr>& values) {
  std::unordered_set<std::string_view> known;
  std::vector<publication_ptr> result;
  for (auto i = values.rbegin(); i != values.rend(); ++i)
    if (known.insert((*i)->topic).second)
      result.push_back(*i);
  std::ranges::reverse(result);
  return result;
}

// Drops the events that one of these values is as new as: its page came behind
// them.
void drop_known(std::vector<publication_ptr>& events,
                const std::vector<publication_ptr>& values) {
  if (events.empty())
    return;
  std::unordered_map<std::string_view, const publication*> newest;
  for (auto& x : values)
    newest[x->topic] = x.get();
  std::erase_if(events, [&](const publication_ptr& x) {
    auto i = newest.find(x->topic);
    return i != newest.end() && i->second->epoch == x->epoch
           && i->second->offset >= x->offset;
  });
}

} // namespace

// -- asking the shards --------------------------------------------------------

void topic_table::ask_values(local_topic& pattern) {
  if (!std::exchange(pattern.wanting, true))
    gathering_.push_back(&pattern);
}

std::vector<std::pair<uint32_t, retained_query>>
topic_table::take_retained_queries(uint32_t shards) {
  std::vector<std::pair<uint32_t, retained_query>> result;
  for (auto* x : std::exchange(gathering_, {})) {
    x->wanting = false;
    if (x->values == nullptr) {
      x->values = std::make_unique<gathering>();
      x->values->number = ++generation_;
      x->values->shards.resize(shards);
      for (auto& [box, held] : x->behind)
        if (held->behind->at == replay::stage::waiting)
          held->behind->at = replay::stage::asked;
    }
    auto& round = *x->values;
    for (uint32_t i = 0; i < shards; ++i)
      if (auto& from = round.shards[i]; !from.done && !from.asked) {
        from.asked = true;
        result.push_back({i, {0, x->name, round.number, from.upto}});
      }
  }
  return result;
}

void topic_table::fetched(const retained_page& page) {
  auto* x = find(page.pattern);
  if (x == nullptr || x->values == nullptr || x->values->number != page.number)
    return;
  auto& round = *x->values;
  auto& from = round.shards[page.shard];
  from.asked = false;
  from.upto = page.upto;
  from.own_done = page.own_done;
  from.done = page.upto.empty();
  round.values.insert(round.values.end(), page.values.begin(),
                      page.values.end());
  if (round.values.size() > values_max_)
    end_round(*x, last_values::too_many);
  else if (!from.done)
    ask_values(*x);
  else if (std::ranges::all_of(round.shards, &gathering::progress::done))
    end_round(*x, last_values::all);
}

void topic_table::begin_round_again(local_topic& pattern) {
  if (std::exchange(pattern.values, nullptr) == nullptr)
    return;
  for (auto& [box, x] : pattern.behind)
    if (x->behind->at == replay::stage::asked)
      x->behind->at = replay::stage::waiting;
  ask_values(pattern);
}

// -- giving them --------------------------------------------------------------

void topic_table::end_round(local_topic& pattern, last_values outcome) {
  auto round = std::move(pattern.values);
  auto slice = caf::make_counted<history_slice>();
  auto chunks = std::make_shared<replay_chunks>();
  slice->events = last_of_each(round->values);
  auto retained = slice->events.size();
  drop_known(round->since, slice->events);
  for (auto& x : round->since)
    slice->events.push_back(std::move(x));
  auto behind = pattern.behind;
  for (auto& [box, x] : behind) {
    auto& state = *x->behind;
    if (state.at != replay::stage::asked || box->owner == nullptr)
      continue;
    state.answered = true;
    box->owner->on_subscribed(x->seq_id, pattern.name, nullptr,
                              x->asked_missed ? recovery::lost : recovery::none,
                              outcome);
    if (outcome == last_values::all) {
      state.at = replay::stage::replaying;
      state.slice = slice;
      state.chunks = chunks;
      state.retained = retained;
      state.late = std::make_unique<backlog>(*box);
      go_on(*x);
    } else {
      join(*x);
    }
  }
  // Those who came meanwhile.
  settle(pattern);
}

void topic_table::keep_for_newcomers(local_topic& pattern,
                                     const publication_ptr& event) {
  if (auto* round = pattern.values.get()) {
    auto shards = static_cast<uint32_t>(round->shards.size());
    auto& from = round->shards[shard_of(event->topic, shards)];
    // Nobody here knows which node owns it, and so whether its page has come.
    if (from.done || from.own_done || event->topic <= from.upto) {
      round->since.push_back(event);
      round->since_bytes += event->cost();
    }
    if (round->since_bytes > since_bytes_max)
      end_round(pattern, last_values::too_many);
  }
  auto behind = pattern.behind;
  for (auto& [box, x] : behind) {
    auto* late = x->behind->late.get();
    if (late == nullptr || is_own(*x, *event))
      continue;
    // Who is this slow gets what is left at once, and is cut off if it has no
    // room for that; it joins, and gets this event with the others.
    if (box->held_bytes > static_cast<int64_t>(box->bytes_max()))
      give_rest(*x);
    else
      late->add(event);
  }
}

void topic_table::give_rest(subscription& x) {
  auto& state = *x.behind;
  state.hurried = true;
  std::erase(replaying_, &x);
  while (state.slice != nullptr && state.next < state.slice->events.size())
    give_chunk(x);
  catch_up(x);
}

} // namespace callboard
