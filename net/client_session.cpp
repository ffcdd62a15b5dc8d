#include <callboard/net/client_session.hpp>

#include <algorithm>
#include <vector>

#include <caf/sec.hpp>

#include <callboard/net/client_error.hpp>

namespace callboard::net {

namespace {

// The server tells when a request's time is over; this long after that the
// client stops to listen.
constexpr auto timeout_grace = std::chrono::seconds{2};

// First wait before a subscription or an action is asked for again where the
// server does not say how long.
constexpr auto retry_pause = std::chrono::seconds{1};

// Returns whether nothing is done twice by sending it again.
bool may_repeat(const client_session::operation& x) {
  switch (x.type) {
    case frame_type::subscribe:
    case frame_type::register_action:
      return true;
    case frame_type::publish:
      return !x.options.id.empty();
    case frame_type::request:
      return x.request.idempotent;
    default:
      return false;
  }
}

// Returns whether the server answers it.
bool wants_reply(const client_session::operation& x) {
  return x.type != frame_type::notify
         && (x.type != frame_type::publish || x.options.ack);
}

// Returns whether it ends what ends with the connection anyway.
bool ends_something(const client_session::operation& x) {
  return x.type == frame_type::unsubscribe
         || x.type == frame_type::unregister_action;
}

caf::error too_much_waits() {
  return caf::make_error(errc::overloaded,
                         std::string{"too much waits for the server"});
}

} // namespace

client_session::client_session(client_options options, client_handlers handlers,
                               std::function<time_point()> now)
  : options_{std::move(options)},
    handlers_{std::move(handlers)},
    now_{std::move(now)} {
}

// -- the connection -----------------------------------------------------------

void client_session::connected(send_function send, size_t inflight_max,
                               std::function<bool()> is_full) {
  send_ = std::move(send);
  connection_is_full_ = std::move(is_full);
  ++connection_;
  inflight_max_ = std::max<size_t>(inflight_max, 1);
  paused_ = false;
  // Each is put in front, so what was first is put there last.
  for (auto i = responders_.rbegin(); i != responders_.rend(); ++i)
    if (i->second.established)
      reregister(i->first, i->second.generation);
  for (auto i = memberships_.rbegin(); i != memberships_.rend(); ++i)
    if (i->second.established)
      rejoin(i->first, i->second.generation);
  for (auto i = subscriptions_.rbegin(); i != subscriptions_.rend(); ++i)
    if (i->second.established)
      resubscribe(i->first, i->second.generation);
  pump();
}

void client_session::disconnected() {
  send_ = nullptr;
  connection_is_full_ = nullptr;
  later_.clear();
  incoming_.clear();
  incoming_deadlines_.clear();
  given_.clear();
  std::vector<uint32_t> sent;
  for (auto& [seq_id, x] : operations_)
    if (x.sent || x.again || ends_something(x))
      sent.push_back(seq_id);
  // By what is never given anew: what is sent again has another seqId.
  std::sort(sent.begin(), sent.end(), [this](uint32_t x, uint32_t y) {
    return operations_.find(x)->second.id > operations_.find(y)->second.id;
  });
  std::vector<operation> lost;
  for (auto seq_id : sent) {
    auto x = take(seq_id);
    // `connected` asks for these.
    if (x.again)
      continue;
    x.sent = false;
    if (x.type == frame_type::request)
      x.request.timeout = std::max<caf::timespan>(
        x.deadline - now_() - timeout_grace, std::chrono::milliseconds{1});
    if (may_repeat(x))
      submit(std::move(x), true);
    else
      lost.push_back(std::move(x));
  }
  for (auto i = lost.rbegin(); i != lost.rend(); ++i) {
    // With the connection, subscriptions and actions have ended too.
    if (ends_something(*i))
      i->done({}, nullptr);
    else
      i->done(caf::make_error(caf::sec::socket_disconnected,
                              std::string{"the connection was lost before the "
                                          "answer came; whether it was done "
                                          "is not known"}),
              nullptr);
  }
}

void client_session::log_in(const std::string& token, completion done) {
  submit({.type = frame_type::connect,
          .body
          = payload::pack(std::map<std::string, std::string>{{"token", token}}),
          .done = std::move(done),
          .again = true},
         true);
  pump();
}

void client_session::give_up(const caf::error& why) {
  given_up_ = why;
  subscriptions_.clear();
  memberships_.clear();
  responders_.clear();
  later_.clear();
  std::vector<uint32_t> all;
  for (auto& entry : operations_)
    all.push_back(entry.first);
  std::sort(all.begin(), all.end());
  for (auto seq_id : all)
    fail(seq_id, why);
}

// -- operations ---------------------------------------------------------------

operation_id client_session::submit(operation x, bool first) {
  if (given_up_) {
    if (x.done)
      x.done(given_up_, nullptr);
    return 0;
  }
  auto bytes = x.body.bytes().size();
  std::vector<operation> gone;
  if (!first && is_full(bytes)) {
    gone = make_room(bytes);
    if (is_full(bytes)) {
      gone.push_back(std::move(x));
      for (auto& old : gone)
        if (old.done)
          old.done(too_much_waits(), nullptr);
      return 0;
    }
  }
  do {
    ++last_seq_id_;
  } while (last_seq_id_ == 0 || operations_.count(last_seq_id_) > 0);
  auto seq_id = last_seq_id_;
  auto is_new = x.id == 0;
  if (is_new)
    x.id = ++last_operation_;
  auto id = x.id;
  seq_ids_[id] = seq_id;
  if (x.deadline == time_point{}) {
    auto timeout = x.type == frame_type::request
                     ? x.request.timeout + timeout_grace
                     : options_.operation_timeout;
    x.deadline = now_() + std::chrono::duration_cast<clock::duration>(timeout);
  }
  deadlines_.emplace(x.deadline, seq_id);
  x.counts = !first;
  count_waiting(x, true);
  if (!first)
    waiting_.push_back(seq_id);
  else if (is_new)
    waiting_.push_front(seq_id);
  else
    waiting_.insert(place_of(id), seq_id);
  operations_.emplace(seq_id, std::move(x));
  for (auto& old : gone)
    if (old.done)
      old.done(too_much_waits(), nullptr);
  if (!first)
    pump();
  return id;
}

void client_session::pump() {
  while (!waiting_.empty() && may_send()) {
    auto seq_id = waiting_.front();
    auto& x = operations_.find(seq_id)->second;
    if (!wanted(x)) {
      fail(seq_id, caf::make_error(errc::cancelled));
      continue;
    }
    waiting_.pop_front();
    count_waiting(x, false);
    x.sent = true;
    ++inflight_;
    auto replies = wants_reply(x);
    if (!send(replies ? seq_id : 0, x))
      fail(seq_id,
           caf::make_error(errc::frame_too_large,
                           std::string{"larger than the server takes"}));
    else if (!replies)
      fail(seq_id, {});
  }
}

bool client_session::send(uint32_t seq_id, const operation& x) {
  frame_view out;
  out.type = x.type;
  out.seq_id = seq_id;
  out.subject = x.subject;
  out.payload = x.body.view();
  if (x.type == frame_type::request) {
    using std::chrono::milliseconds;
    auto ms
      = std::chrono::duration_cast<milliseconds>(x.request.timeout).count();
    out.meta.timeout_ms = static_cast<uint64_t>(ms);
    out.meta.mark(meta_key::timeout_ms);
  }
  if (!x.since.epoch.empty()) {
    out.meta.since = {x.since.epoch, x.since.offset};
    out.meta.mark(meta_key::since);
  }
  if (!x.member.group.empty()) {
    out.meta.group = x.member.group;
    out.meta.mark(meta_key::group);
  }
  if (!x.member.group.empty() && x.type == frame_type::subscribe) {
    out.meta.ack = x.member.ack;
    out.meta.mark(meta_key::ack);
  }
  if (!x.options.key.empty()) {
    out.meta.key = x.options.key;
    out.meta.mark(meta_key::key);
  }
  auto& id = x.type == frame_type::request ? x.request.id : x.options.id;
  if (!id.empty()) {
    out.meta.id = id;
    out.meta.mark(meta_key::id);
  }
  auto& trace = x.type == frame_type::request ? x.request.trace
                                              : x.options.trace;
  if (!trace.empty()) {
    out.meta.trace = trace;
    out.meta.mark(meta_key::trace);
  }
  if (x.presence) {
    out.meta.presence = true;
    out.meta.mark(meta_key::presence);
  }
  if (x.options.no_echo) {
    out.meta.no_echo = true;
    out.meta.mark(meta_key::no_echo);
  }
  return send_(out);
}

bool client_session::wanted(const operation& x) const {
  if (x.type == frame_type::subscribe && !x.member.group.empty())
    return find(memberships_, {x.subject, x.member.group}, x.generation);
  if (x.type == frame_type::subscribe)
    return find(subscriptions_, x.subject, x.generation);
  if (x.type == frame_type::register_action)
    return find(responders_, x.subject, x.generation);
  return true;
}

client_session::operation client_session::take(uint32_t seq_id) {
  auto node = operations_.extract(seq_id);
  auto& x = node.mapped();
  deadlines_.erase({x.deadline, seq_id});
  seq_ids_.erase(x.id);
  if (x.sent) {
    --inflight_;
  } else {
    count_waiting(x, false);
    auto i = std::find(waiting_.begin(), waiting_.end(), seq_id);
    if (i != waiting_.end())
      waiting_.erase(i);
  }
  return std::move(x);
}

void client_session::fail(uint32_t seq_id, const caf::error& why) {
  if (operations_.count(seq_id) == 0)
    return;
  auto x = take(seq_id);
  if (x.done)
    x.done(why, nullptr);
}

bool client_session::postpone(uint32_t seq_id) {
  auto i = operations_.find(seq_id);
  if (!paused_ || i->second.again || !may_repeat(i->second))
    return false;
  auto x = take(seq_id);
  x.sent = false;
  submit(std::move(x), true);
  return true;
}

void client_session::withdraw(uint32_t seq_id) {
  auto& x = operations_.find(seq_id)->second;
  if (!x.sent || !send_)
    return;
  // Else the server would have what nobody here knows, and refuse it the next
  // time.
  if (x.type == frame_type::subscribe || x.type == frame_type::register_action)
    submit({.type = x.type == frame_type::subscribe
                      ? frame_type::unsubscribe
                      : frame_type::unregister_action,
            .subject = x.subject,
            .member = {x.member.group, false},
            .done = [](const caf::error&, const frame_view*) {}},
           true);
  if (x.type != frame_type::request)
    return;
  frame_view out;
  out.type = frame_type::cancel;
  out.seq_id = seq_id;
  send_(out);
}

// -- time ---------------------------------------------------------------------

std::optional<client_session::time_point>
client_session::next_deadline() const {
  std::optional<time_point> result;
  auto consider = [&](time_point x) {
    result = result ? std::min(*result, x) : x;
  };
  if (!deadlines_.empty())
    consider(deadlines_.begin()->first);
  if (!incoming_deadlines_.empty())
    consider(incoming_deadlines_.begin()->first);
  if (!later_.empty())
    consider(later_.begin()->first);
  return result;
}

void client_session::expire() {
  auto now = now_();
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    auto seq_id = deadlines_.begin()->second;
    withdraw(seq_id);
    fail(seq_id, caf::make_error(errc::timeout));
  }
  while (!incoming_deadlines_.empty()
         && incoming_deadlines_.begin()->first <= now) {
    incoming_.erase(incoming_deadlines_.begin()->second);
    incoming_deadlines_.erase(incoming_deadlines_.begin());
  }
  while (!later_.empty() && later_.begin()->first <= now) {
    auto f = std::move(later_.begin()->second);
    later_.erase(later_.begin());
    f();
  }
  pump();
}

bool client_session::try_again(const caf::error& why, std::function<void()> f) {
  auto said = details(why);
  if (!said.temporary || !send_)
    return false;
  auto wait = std::max<caf::timespan>(said.retry_after, retry_pause);
  later_.emplace(now_() + std::chrono::duration_cast<clock::duration>(wait),
                 std::move(f));
  return true;
}

void client_session::tell(const caf::error& why) {
  if (handlers_.on_error)
    handlers_.on_error(why);
}

} // namespace callboard::net
