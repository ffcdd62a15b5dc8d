#include <callboard/net/http_session.hpp>

#include <utility>

#include <callboard/net/http_session_parts.hpp>
#include <callboard/net/http_stream.hpp>
#include <callboard/net/http_upgrade.hpp>

// What a session waits for before it answers: the desk, or a place.

namespace callboard::net {

void http_session::ask(http_request request) {
  state_ = state::asking;
  arm(front_.options().request_timeout);
  auto end = !request.keep_alive || request.http_1_0;
  auto answer = [self = weak_from_this(), end](http_content content) {
    auto session = self.lock();
    if (!session || session->state_ != state::asking)
      return;
    auto close = end || content.status >= 400 || !session->front_.ready();
    session->send(to_reply(std::move(content), false, close));
  };
  front_.desk()->serve(std::move(request), answer);
}

void http_session::wait_for_place(http_reply reply) {
  auto called = [self = weak_from_this()] {
    // Leaving tells the queue that the place has arrived.
    if (auto session = self.lock(); session && !session->leave_queue({}))
      session->take_place();
  };
  auto [ticket, refused] = front_.enter_queue(reply.upgrade->address,
                                              std::move(called));
  if (refused)
    return send(refuse_upgrade(make_refusal(*refused), front_));
  ticket_ = ticket;
  reply_ = std::move(reply);
  state_ = state::queued;
  arm(front_.options().accept_wait);
  wait(tcp::socket::wait_read);
}

void http_session::look_for_end() {
  auto readable = false;
  if (has_ended(socket_, readable))
    finish();
  else if (!readable)
    wait(tcp::socket::wait_read);
}

void http_session::take_place() {
  if (state_ != state::queued)
    return;
  reply_->waits = false;
  send(std::move(*reply_));
}

void http_session::stop_waiting(const std::optional<limit_hit>& met) {
  if (!leave_queue(met))
    return take_place();
  send(refuse_upgrade(
    met ? make_refusal(*met) : make_refusal(errc::shutting_down, 503), front_));
}

bool http_session::leave_queue(const std::optional<limit_hit>& met) {
  return state_ == state::queued
         && front_.leave_queue(reply_->upgrade->address, ticket_, met);
}

} // namespace callboard::net
