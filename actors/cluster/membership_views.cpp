#include <callboard/actors/cluster/membership.hpp>

#include <algorithm>
#include <utility>

// How views are made: the rules of `membership`, as functions of what was
// heard.

namespace callboard {

namespace {

bool names_run(const cluster_view& view, const member& x) {
  auto* y = view.find(x.name);
  return y != nullptr && y->same_run(x);
}

// Returns whether the nodes of `y` join those of `x`, and not the other way
// round.
bool absorbs(const cluster_view& x, const cluster_view& y) {
  if (x.members.size() != y.members.size())
    return x.members.size() > y.members.size();
  if (x.coordinator != y.coordinator)
    return x.coordinator < y.coordinator;
  return x.number > y.number;
}

} // namespace

bool membership::is_self(const member& x) const noexcept {
  return x.name == self_.name;
}

bool membership::alive(const member& x, int64_t now_ms) const noexcept {
  if (is_self(x))
    return true;
  auto* y = find(x.name);
  if (y == nullptr || !y->who.same_run(x)
      || now_ms - std::max(y->heard_ms, y->joined_ms) >= options_.timeout_ms)
    return false;
  // One that goes by a newer view without this node has dropped it, and begins
  // anew.
  return !y->view.newer_than(view_) || names_run(y->view, self_);
}

bool membership::acts(int64_t now_ms) const noexcept {
  const member* first = nullptr;
  for (auto& x : view_.members) {
    if (!alive(x, now_ms))
      continue;
    if (x.state != member_state::leaving)
      return is_self(x);
    if (first == nullptr)
      first = &x;
  }
  return is_self(*first);
}

std::vector<member> membership::next_members(int64_t now_ms) const {
  std::vector<member> result;
  for (auto x : view_.members) {
    auto apart_from = [&](const member& y) { return apart(x, y, now_ms); };
    if (!is_self(x)
        && (!alive(x, now_ms) || may_go(x, now_ms)
            || std::ranges::any_of(result, apart_from)))
      continue;
    if (is_self(x) ? leaving_ : find(x.name)->leaving)
      x.state = member_state::leaving;
    result.push_back(std::move(x));
  }
  // Which cluster is the larger one can be said when all know this.
  if (result.size() < view_.members.size())
    return result;
  for (auto& [name, x] : peers_)
    if (result.size() < members_max() && candidate(x, now_ms)
        && fits(result, x))
      result.push_back(x.who);
  return result;
}

bool membership::apart(const member& x, const member& y,
                       int64_t now_ms) const noexcept {
  auto misses = [&](const member& a, const member& b) {
    if (is_self(a))
      return false;
    auto* p = find(a.name);
    auto i = p->misses.find(run_of(b));
    return i != p->misses.end() && now_ms - i->second >= options_.timeout_ms;
  };
  return misses(x, y) || misses(y, x);
}

bool membership::may_go(const member& x, int64_t now_ms) const noexcept {
  auto* y = find(x.name);
  // Others are to know that it owns nothing before it is away.
  return x.state == member_state::leaving && y->gone
         && (all_have_view(now_ms)
             || now_ms - y->leaving_ms >= options_.timeout_ms);
}

bool membership::candidate(const peer& x, int64_t now_ms) const {
  return !leaving_ && !x.leaving && hears(x.who, now_ms)
         && view_.find(x.who.name) == nullptr && id_of(x.view) == x.goes_by
         && absorbs(view_, x.view);
}

bool membership::fits(const std::vector<member>& xs, const peer& x) const {
  auto run = run_of(x.who);
  return std::ranges::all_of(xs, [&](const member& y) {
    return x.hears_run(run_of(y))
           && (is_self(y) || find(y.name)->hears_run(run));
  });
}

bool membership::all_have_view(int64_t now_ms) const noexcept {
  auto id = id_of(view_);
  return std::ranges::all_of(view_.members, [&](const member& x) {
    return is_self(x) || !alive(x, now_ms) || find(x.name)->goes_by == id;
  });
}

void membership::install(cluster_view x, int64_t now_ms) {
  auto old = std::exchange(view_, std::move(x));
  highest_ = std::max(highest_, view_.number);
  learn(view_, now_ms);
  for (auto& y : view_.members) {
    auto i = peers_.find(y.name);
    // Where another run is linked, this one is over.
    if (is_self(y) || i == peers_.end() || !i->second.who.same_run(y))
      continue;
    auto& p = i->second;
    auto* before = old.find(y.name);
    if (before == nullptr || !before->same_run(y)) {
      p.joined_ms = now_ms;
      p.misses.clear();
      for (auto& [name, other] : peers_)
        other.misses.erase(run_of(y));
    }
    if (y.state == member_state::leaving
        && (before == nullptr || before->state != y.state))
      p.leaving_ms = now_ms;
  }
  // The coordinator tells the members. Others hear it from each member.
  auto made = view_.coordinator == self_.name;
  for (auto& [name, p] : peers_)
    if (p.linked && (made || !names_run(view_, p.who)))
      messages_.push_back({name, view_});
  beaten_ms_ = never;
}

} // namespace callboard
