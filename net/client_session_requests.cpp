#include <callboard/net/client_session.hpp>

#include <algorithm>

// Requests and other wishes of users, and what waits.

namespace callboard::net {

namespace {

// What a request may ask for (docs/protocol.md).
constexpr auto timeout_min = std::chrono::milliseconds{1};
constexpr auto timeout_max = std::chrono::milliseconds{300'000};

// Returns whether it may give way to what is new.
bool may_give_way(const client_session::operation& x) {
  return x.counts
         && (x.type == frame_type::request || x.type == frame_type::notify
             || x.type == frame_type::publish);
}

template <class T>
client_session::completion ignoring_reply(result_handler<T> done) {
  return [done = std::move(done)](const caf::error& why, const frame_view*) {
    if (!done)
      return;
    if (why)
      done(why);
    else
      done({});
  };
}

} // namespace

void client_session::subscribe(std::string subject, event_handler on_event,
                               result_handler<position> done) {
  subscribe(std::move(subject), {}, std::move(on_event), {},
            [done = std::move(done)](caf::expected<subscribed> x) {
              if (done && x)
                done(std::move(x->at));
              else if (done)
                done(std::move(x.error()));
            });
}

void client_session::unsubscribe(const std::string& subject,
                                 result_handler<void> done) {
  subscriptions_.erase(subject);
  // Without a connection there is nothing to end.
  if (!send_) {
    if (done)
      done({});
    return;
  }
  submit({.type = frame_type::unsubscribe,
          .subject = subject,
          .done = ignoring_reply(std::move(done))});
}

operation_id client_session::request(std::string action, payload x,
                                     request_options options,
                                     result_handler<payload> done) {
  options.timeout = std::clamp<caf::timespan>(options.timeout, timeout_min,
                                              timeout_max);
  auto answered = [done = std::move(done)](const caf::error& why,
                                           const frame_view* reply) {
    if (!done)
      return;
    if (why)
      done(why);
    else
      done(payload{reply->payload});
  };
  return submit({.type = frame_type::request,
                 .subject = std::move(action),
                 .body = std::move(x),
                 .request = std::move(options),
                 .done = std::move(answered)});
}

operation_id client_session::notify(std::string action, payload x,
                                    result_handler<void> done) {
  return submit({.type = frame_type::notify,
                 .subject = std::move(action),
                 .body = std::move(x),
                 .done = ignoring_reply(std::move(done))});
}

bool client_session::cancel(operation_id id) {
  auto i = seq_ids_.find(id);
  if (i == seq_ids_.end())
    return false;
  auto seq_id = i->second;
  withdraw(seq_id);
  fail(seq_id, caf::make_error(errc::cancelled));
  pump();
  return true;
}

void client_session::stop_responding(const std::string& action,
                                     result_handler<void> done) {
  responders_.erase(action);
  if (!send_) {
    if (done)
      done({});
    return;
  }
  submit({.type = frame_type::unregister_action,
          .subject = action,
          .done = ignoring_reply(std::move(done))});
}

// -- what waits ---------------------------------------------------------------

std::deque<uint32_t>::iterator client_session::place_of(operation_id id) {
  return std::find_if(waiting_.begin(), waiting_.end(), [&](uint32_t seq_id) {
    auto& x = operations_.find(seq_id)->second;
    return !x.again && x.id > id;
  });
}

void client_session::count_waiting(const operation& x, bool waits) noexcept {
  if (!x.counts)
    return;
  auto bytes = x.body.bytes().size();
  if (waits) {
    ++waiting_count_;
    waiting_bytes_ += bytes;
  } else {
    --waiting_count_;
    waiting_bytes_ -= bytes;
  }
}

std::vector<client_session::operation> client_session::make_room(size_t bytes) {
  std::vector<operation> result;
  if (options_.when_full == queue_policy::reject
      || bytes > options_.queued_bytes_max)
    return result;
  auto gives_way = [this](uint32_t seq_id) {
    return may_give_way(operations_.find(seq_id)->second);
  };
  while (is_full(bytes)) {
    auto i = std::find_if(waiting_.begin(), waiting_.end(), gives_way);
    if (i == waiting_.end())
      break;
    result.push_back(take(*i));
  }
  return result;
}

} // namespace callboard::net
