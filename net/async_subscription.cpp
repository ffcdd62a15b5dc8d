#include <callboard/net/async_subscription.hpp>

#include <callboard/net/async_client_parts.hpp>
#include <callboard/net/client_calls.hpp>

namespace callboard::net {

namespace {

// Begins a receive of one of a subscription's inboxes.
template <class State, class T>
void receive_from(const std::shared_ptr<State>& state,
                  client_inbox<T> State::*box, call_options options,
                  result_handler<T> done) {
  auto core = state->core.lock();
  if (!core) {
    done(caf::make_error(errc::cancelled));
    return;
  }
  core->post([state, box, options = std::move(options),
              done = std::move(done)](client_core& x) {
    auto call = std::make_shared<bounded_call<T>>(x.shared_from_this(), done);
    auto& inbox = (*state).*box;
    auto wait = inbox.receive(
      [call](caf::expected<T> y) { call->finish(std::move(y)); });
    call->bound(options, [state, box, wait] { ((*state).*box).forget(wait); });
  });
}

} // namespace

// -- what copies share --------------------------------------------------------

async_subscription::state::~state() {
  auto x = core.lock();
  if (x && standing)
    x->post([name = subject](client_core& core) {
      core.session().unsubscribe(name, {});
    });
}

void async_subscription::state::on_event(const event_view& x) {
  auto dropped = events.push({owned_event(x), std::exchange(gap_, {})});
  if (auto* next = events.front(); next != nullptr && dropped > 0)
    next->gap = "buffer full";
}

void async_subscription::state::on_presence(const presence_view& x) {
  auto dropped = presence.push(x.notes);
  if (auto* next = presence.front(); next != nullptr && dropped > 0)
    next->insert(next->begin(), presence_note{});
}

void async_subscription::state::on_gap(std::string_view reason) {
  gap_ = reason;
}

void async_subscription::state::close(const caf::error& why) {
  standing = false;
  events.close(why);
  presence.close(why);
}

void async_subscription::state::abandon() {
  events.forget_all();
  presence.forget_all();
}

// -- the handle ---------------------------------------------------------------

async_subscription::async_subscription(std::shared_ptr<state> x) noexcept
  : state_{std::move(x)} {
}

const std::string& async_subscription::subject() const noexcept {
  return state_->subject;
}

const subscribed& async_subscription::begin() const noexcept {
  return state_->first;
}

void async_subscription::cancel() {
  auto core = state_->core.lock();
  if (!core)
    return;
  core->post([state = state_](client_core& x) {
    if (!state->standing)
      return;
    state->close(caf::make_error(errc::cancelled));
    x.session().unsubscribe(state->subject, {});
  });
}

asio::any_io_executor async_subscription::executor() const {
  return state_->executor;
}

void async_subscription::receive(call_options options,
                                 result_handler<delivery> done) {
  receive_from(state_, &state::events, std::move(options), std::move(done));
}

void async_subscription::receive_presence(
  call_options options, result_handler<std::vector<presence_note>> done) {
  receive_from(state_, &state::presence, std::move(options), std::move(done));
}

} // namespace callboard::net
