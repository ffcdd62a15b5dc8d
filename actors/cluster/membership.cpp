#include <callboard/actors/cluster/membership.hpp>

#include <algorithm>
#include <utility>

#include <callboard/actors/cluster/client_url.hpp>
#include <callboard/actors/string_hash.hpp>

namespace callboard {

namespace {

// Numbers grow by one: no view ever gets here.
constexpr uint64_t view_number_max = uint64_t{1} << 62;

bool plausible(const cluster_view& x, size_t members_max) {
  if (x.number == 0 || x.number > view_number_max
      || x.coordinator.size() > node_name_bytes_max || x.members.empty()
      || x.members.size() > members_max)
    return false;
  for (auto i = x.members.begin(); i != x.members.end(); ++i)
    if (!valid(*i) || std::find_if(x.members.begin(), i, [i](auto& y) {
                        return y.name == i->name;
                      }) != i)
      return false;
  return true;
}

} // namespace

bool valid(const member& x) noexcept {
  auto within = [](const std::string& y, size_t bytes_max) {
    return !y.empty() && y.size() <= bytes_max;
  };
  return within(x.name, node_name_bytes_max)
         && within(x.incarnation, node_name_bytes_max)
         && within(x.address, node_address_bytes_max) && x.loops >= 1
         && x.loops <= node_loops_max && x.urls.size() <= client_urls_max
         && std::ranges::all_of(x.urls, valid_client_url);
}

uint64_t run_of(const member& x) noexcept {
  // No name ends within the other's incarnation.
  return hash_of(x.name) * 0x9e3779b97f4a7c15u ^ hash_of(x.incarnation);
}

bool membership::peer::hears_run(uint64_t run) const noexcept {
  return std::ranges::binary_search(hears, run);
}

membership::membership(const membership_options& options, member self)
  : options_{options}, self_{std::move(self)} {
  self_.state = member_state::up;
  view_ = {1, self_.name, {self_}};
}

// -- what happens -------------------------------------------------------------

void membership::linked(const member& who, int64_t now_ms) {
  auto& x = peers_[who.name];
  if (!x.who.same_run(who))
    x = {};
  x.who = who;
  x.who.state = member_state::up;
  x.linked = true;
  x.known_ms = now_ms;
  messages_.push_back({who.name, heartbeat_for(x, now_ms)});
  messages_.push_back({who.name, view_});
}

void membership::unlinked(std::string_view name, int64_t now_ms) {
  if (auto i = peers_.find(name); i != peers_.end()) {
    i->second.linked = false;
    i->second.known_ms = now_ms;
  }
}

void membership::heard(std::string_view name, int64_t now_ms) {
  auto i = peers_.find(name);
  if (i == peers_.end() || !i->second.linked)
    return;
  // Others wait for this node to say that it hears this one.
  if (now_ms - i->second.heard_ms >= options_.timeout_ms)
    beaten_ms_ = never;
  i->second.heard_ms = now_ms;
}

membership::peer* membership::take(std::string_view from,
                                   std::string_view incarnation,
                                   int64_t now_ms) {
  auto i = peers_.find(from);
  if (i == peers_.end() || !i->second.linked
      || i->second.who.incarnation != incarnation)
    return nullptr;
  heard(from, now_ms);
  return &i->second;
}

void membership::receive(std::string_view from, const peer_heartbeat& x,
                         int64_t now_ms) {
  if (x.view.number > view_number_max || x.hears.size() > 4 * members_max())
    return;
  auto* who = take(from, x.incarnation, now_ms);
  if (who == nullptr)
    return;
  highest_ = std::max(highest_, x.view.number);
  if (x.view.newer_than(who->goes_by))
    who->goes_by = x.view;
  if (x.seen.newer_than(who->seen))
    who->seen = x.seen;
  who->leaving |= x.leaving;
  who->gone |= x.gone;
  who->hears = x.hears;
  std::ranges::sort(who->hears);
  std::map<uint64_t, int64_t> misses;
  for (auto& y : view_.members)
    if (auto run = run_of(y); y.name != who->who.name && !who->hears_run(run)) {
      auto i = who->misses.find(run);
      misses.emplace(run, i == who->misses.end() ? now_ms : i->second);
    }
  who->misses = std::move(misses);
  if (lacks_view(*who))
    messages_.push_back({who->who.name, view_});
}

void membership::receive(std::string_view from, const cluster_view& x,
                         int64_t now_ms) {
  auto* sender = x.find(from);
  if (sender == nullptr || !plausible(x, members_max()))
    return;
  auto* who = take(from, sender->incarnation, now_ms);
  if (who == nullptr)
    return;
  highest_ = std::max(highest_, x.number);
  if (x.newer_than(who->view))
    who->view = x;
  if (id_of(x).newer_than(who->goes_by))
    who->goes_by = id_of(x);
  learn(x, now_ms);
  auto* me = x.find(self_.name);
  if (me != nullptr && me->same_run(self_) && x.newer_than(view_))
    install(x, now_ms);
}

void membership::learn(const cluster_view& x, int64_t now_ms) {
  for (auto& y : x.members) {
    if (y.name == self_.name)
      continue;
    auto i = peers_.find(y.name);
    if (i == peers_.end()) {
      if (peers_.size() >= 4 * members_max())
        continue;
      i = peers_.emplace(y.name, peer{}).first;
      i->second.who = y;
    } else if (!i->second.who.same_run(y)) {
      // A run that is linked, or was just now, is not over by hearsay.
      if (i->second.linked || now_ms - i->second.heard_ms < options_.timeout_ms)
        continue;
      i->second = {};
      i->second.who = y;
    }
    i->second.known_ms = now_ms;
    i->second.leaving |= y.state == member_state::leaving;
  }
}

void membership::tick(int64_t now_ms) {
  excuse_pause(now_ms);
  forget(now_ms);
  if (acts(now_ms))
    if (auto next = next_members(now_ms); next != view_.members)
      install({highest_ + 1, self_.name, std::move(next)}, now_ms);
  if (now_ms - beaten_ms_ >= options_.heartbeat_ms)
    send_heartbeats(now_ms);
}

void membership::retire() noexcept {
  leaving_ = true;
  beaten_ms_ = never;
}

void membership::leave() noexcept {
  retire();
  gone_ = true;
}

void membership::excuse_pause(int64_t now_ms) {
  auto last_ms = std::exchange(ticked_ms_, now_ms);
  if (last_ms == never || now_ms - last_ms <= 2 * options_.heartbeat_ms)
    return;
  auto excused_ms = now_ms - options_.timeout_ms + 2 * options_.heartbeat_ms;
  auto excuse = [&](int64_t& at_ms) {
    if (last_ms - at_ms < options_.timeout_ms)
      at_ms = std::max(at_ms, excused_ms);
  };
  for (auto& [name, x] : peers_) {
    excuse(x.heard_ms);
    excuse(x.joined_ms);
    x.misses.clear();
  }
}

void membership::forget(int64_t now_ms) {
  auto needless = [this](const peer& x) {
    auto* y = view_.find(x.who.name);
    return !x.linked && (y == nullptr || !y->same_run(x.who));
  };
  std::erase_if(peers_, [&](auto& entry) {
    auto& x = entry.second;
    return needless(x) && now_ms - x.known_ms >= remembered_ms;
  });
  while (peers_.size() > 2 * members_max()) {
    auto oldest = peers_.end();
    for (auto i = peers_.begin(); i != peers_.end(); ++i)
      if (needless(i->second)
          && (oldest == peers_.end()
              || i->second.known_ms < oldest->second.known_ms))
        oldest = i;
    if (oldest == peers_.end())
      return;
    peers_.erase(oldest);
  }
}

// -- what follows from it -----------------------------------------------------

bool membership::hears(const member& x, int64_t now_ms) const noexcept {
  auto* y = find(x.name);
  return y != nullptr && y->linked && y->who.same_run(x)
         && now_ms - y->heard_ms < options_.timeout_ms;
}

std::string membership::refusal(const member& x, int64_t now_ms) const {
  if (!valid(x))
    return "a name or run has 1 to 64 bytes, an address 1 to 255, a node at "
           "least one loop, and at most 4 URLs for clients";
  if (x.name == self_.name)
    return x.same_run(self_) ? "this is the same node"
                             : "this node has the name '" + x.name
                                 + "' itself: each node needs its own";
  auto* y = find(x.name);
  if (y != nullptr && y->linked && !y->who.same_run(x)
      && now_ms - y->heard_ms < 2 * options_.heartbeat_ms)
    return "another node with the name '" + x.name + "' lives, at "
           + y->who.address + ": each node needs its own";
  auto links = std::ranges::count_if(peers_, [](auto& entry) {
    return entry.second.linked;
  });
  if ((y == nullptr || !y->linked)
      && static_cast<size_t>(links) >= 2 * members_max())
    return "this node has as many links as it may";
  return {};
}

peer_heartbeat membership::heartbeat_for(const peer& x, int64_t now_ms) const {
  peer_heartbeat result;
  result.name = self_.name;
  result.incarnation = self_.incarnation;
  result.view = id_of(view_);
  result.seen = id_of(x.view);
  for (auto& [name, y] : peers_)
    if (hears(y.who, now_ms))
      result.hears.push_back(run_of(y.who));
  result.leaving = leaving_;
  result.gone = gone_;
  return result;
}

void membership::send_heartbeats(int64_t now_ms) {
  beaten_ms_ = now_ms;
  // Again, because a run that was not over yet when it was told may be by now.
  learn(view_, now_ms);
  for (auto& [name, x] : peers_)
    if (auto* y = view_.find(name);
        x.linked && (y == nullptr || !y->same_run(x.who)))
      learn(x.view, now_ms);
  for (auto& [name, x] : peers_)
    if (x.linked)
      messages_.push_back({name, heartbeat_for(x, now_ms)});
}

bool membership::lacks_view(const peer& x) const {
  auto id = id_of(view_);
  auto* y = view_.find(x.who.name);
  // Members may have it from somebody else.
  return y != nullptr && y->same_run(x.who) ? id.newer_than(x.goes_by)
                                            : x.seen != id;
}

std::vector<membership::message> membership::take_messages() {
  return std::exchange(messages_, {});
}

std::vector<std::string> membership::missing() const {
  std::vector<std::string> result;
  for (auto& [name, x] : peers_)
    if (!x.linked && x.who.address != self_.address
        && (!x.leaving || view_.find(name) != nullptr))
      result.push_back(x.who.address);
  return result;
}

const membership::peer* membership::find(std::string_view name) const noexcept {
  auto i = peers_.find(name);
  return i == peers_.end() ? nullptr : &i->second;
}

} // namespace callboard
