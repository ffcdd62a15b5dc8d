#include <callboard/actors/request_table.hpp>

#include <algorithm>
#include <tuple>

namespace callboard {

namespace {

// Of the 60 bits that CAF has for a request's number.
constexpr int place_bits = 24;
constexpr uint64_t place_mask = (uint64_t{1} << place_bits) - 1;
constexpr uint64_t count_mask = (uint64_t{1} << (60 - place_bits)) - 1;

} // namespace

bool fewest_in_flight::operator()(const registration* x,
                                  const registration* y) const noexcept {
  return std::tie(x->in_flight, x->chosen, x)
         < std::tie(y->in_flight, y->chosen, y);
}

request_table::request_table(size_t requests_max, size_t responders_max,
                             uint64_t seed)
  : requests_max_{std::min(requests_max, limit)},
    responders_max_{responders_max},
    count_{seed * 0x9e3779b97f4a7c15u >> place_bits} {
}

// -- responders ---------------------------------------------------------------

bool request_table::add(request_peer& who, std::string_view action,
                        bool embedded) {
  if (find(who, action) != nullptr)
    return true;
  auto& actions = actions_of(who);
  auto i = actions.find(action);
  if (i == actions.end())
    i = actions.try_emplace(std::string{action}).first;
  auto& [name, responders] = *i;
  // There are few nodes.
  if (who.node == nullptr && responders.size() >= responders_max_)
    return false;
  auto x = std::make_unique<registration>();
  x->who = &who;
  x->action = &*i;
  x->embedded = embedded;
  if (embedded || who.node != nullptr)
    x->waiting = std::make_shared<mailbox_bytes>();
  x->place = who.registrations.size();
  x->chosen = ++choices_;
  responders.insert(x.get());
  who.registrations.push_back(std::move(x));
  return true;
}

registration* request_table::find(request_peer& who, std::string_view action) {
  auto& actions = actions_of(who);
  auto i = actions.find(action);
  if (i == actions.end())
    return nullptr;
  // A connection serves few actions, and few nodes serve the same one.
  if (who.registrations.size() < i->second.size()) {
    for (auto& x : who.registrations)
      if (x->action == &*i)
        return x.get();
  } else {
    for (auto* x : i->second)
      if (x->who == &who)
        return x;
  }
  return nullptr;
}

void request_table::remove(registration& x) {
  auto& [name, responders] = *x.action;
  responders.erase(&x);
  if (responders.empty()) {
    auto& actions = actions_of(*x.who);
    actions.erase(actions.find(name));
  }
  x.action = nullptr;
  if (x.requests.empty())
    erase_from_peer(x);
}

void request_table::choose(registration& x) {
  reorder(x, x.in_flight, ++choices_);
}

// -- requests -----------------------------------------------------------------

pending_request& request_table::open(request_peer& asker,
                                     registration& responder) {
  if (free_.empty()) {
    auto place = static_cast<uint32_t>(requests_.size());
    free_.push_back(&requests_.emplace_back());
    free_.back()->place = place;
  }
  auto& x = *free_.back();
  free_.pop_back();
  ++size_;
  count_ = (count_ + 1) & count_mask;
  if (count_ == 0)
    count_ = 1;
  x.number = count_ << place_bits | x.place;
  x.asker = &asker;
  x.responder = &responder;
  asker.requests.push_front(x);
  responder.requests.push_front(x);
  reorder(responder, responder.in_flight + 1, responder.chosen);
  return x;
}

void request_table::move(pending_request& x, registration& to) {
  leave_responder(x);
  x.responder = &to;
  to.requests.push_front(x);
  reorder(to, to.in_flight + 1, to.chosen);
}

pending_request* request_table::find(uint64_t number) noexcept {
  auto place = number & place_mask;
  if (number == 0 || place >= requests_.size())
    return nullptr;
  auto& x = requests_[place];
  return x.number == number ? &x : nullptr;
}

void request_table::close(pending_request& x) {
  x.asker->requests.erase(x);
  leave_responder(x);
  x.number = 0;
  x.asker = nullptr;
  x.promise = {};
  x.content = nullptr;
  x.credit = nullptr;
  x.moved = false;
  x.guard.reset();
  free_.push_back(&x);
  --size_;
}

// -- private ------------------------------------------------------------------

registration* request_table::next_in(action_map& actions,
                                     std::string_view action) noexcept {
  auto i = actions.find(action);
  return i != actions.end() ? *i->second.begin() : nullptr;
}

void request_table::leave_responder(pending_request& x) {
  auto& responder = *std::exchange(x.responder, nullptr);
  responder.requests.erase(x);
  reorder(responder, responder.in_flight - 1, responder.chosen);
  if (responder.action == nullptr && responder.requests.empty())
    erase_from_peer(responder);
}

void request_table::reorder(registration& x, size_t in_flight,
                            uint64_t chosen) {
  if (x.action == nullptr) {
    x.in_flight = in_flight;
    return;
  }
  auto& responders = x.action->second;
  auto node = responders.extract(&x);
  x.in_flight = in_flight;
  x.chosen = chosen;
  responders.insert(std::move(node));
}

void request_table::erase_from_peer(registration& x) {
  auto& all = x.who->registrations;
  auto place = x.place;
  std::swap(all[place], all.back());
  all[place]->place = place;
  all.pop_back();
}

} // namespace callboard
