#include <callboard/actors/request_table.hpp>

#include <algorithm>
#include <tuple>

namespace callboard {

namespace {

// Of the 60 bits that CAF has for a request's number.
constexpr int place_bits = 24;
constexpr uint64_t place_mask = (uint64_t{1} << place_bits) - 1;
constexpr uint64_t count_mask = (uint64_t{1} << (60 - place_bits)) - 1;

auto find_in(request_peer& who, std::string_view action) {
  return std::find_if(who.registrations.begin(), who.registrations.end(),
                      [action](const std::unique_ptr<registration>& x) {
                        return x->action != nullptr
                               && x->action->first == action;
                      });
}

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
                        bool embedded, const action_rule* rule) {
  if (find_in(who, action) != who.registrations.end())
    return true;
  auto i = actions_.find(action);
  if (i == actions_.end())
    i = actions_.try_emplace(std::string{action}).first;
  auto& [name, responders] = *i;
  if (responders.size() >= responders_max_)
    return false;
  auto x = std::make_unique<registration>();
  x->who = &who;
  x->action = &*i;
  x->rule = rule;
  x->embedded = embedded;
  if (embedded)
    x->waiting = std::make_shared<mailbox_bytes>();
  x->chosen = ++choices_;
  responders.insert(x.get());
  who.registrations.push_back(std::move(x));
  return true;
}

void request_table::remove(request_peer& who, std::string_view action) {
  auto i = find_in(who, action);
  if (i != who.registrations.end())
    remove(**i);
}

void request_table::remove(registration& x) {
  auto& [name, responders] = *x.action;
  responders.erase(&x);
  if (responders.empty())
    actions_.erase(actions_.find(name));
  x.action = nullptr;
  if (x.requests.empty())
    erase_from_peer(x);
}

registration* request_table::next(std::string_view action) noexcept {
  auto i = actions_.find(action);
  return i != actions_.end() ? *i->second.begin() : nullptr;
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

pending_request* request_table::find(uint64_t number) noexcept {
  auto place = number & place_mask;
  if (number == 0 || place >= requests_.size())
    return nullptr;
  auto& x = requests_[place];
  return x.number == number ? &x : nullptr;
}

void request_table::close(pending_request& x) {
  auto& responder = *x.responder;
  x.asker->requests.erase(x);
  responder.requests.erase(x);
  reorder(responder, responder.in_flight - 1, responder.chosen);
  if (responder.action == nullptr && responder.requests.empty())
    erase_from_peer(responder);
  x.number = 0;
  x.asker = nullptr;
  x.responder = nullptr;
  x.promise = {};
  x.guard.reset();
  free_.push_back(&x);
  --size_;
}

// -- private ------------------------------------------------------------------

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
  auto is_x = [&x](const auto& y) { return y.get() == &x; };
  auto i = std::find_if(all.begin(), all.end(), is_x);
  std::swap(*i, all.back());
  all.pop_back();
}

} // namespace callboard
