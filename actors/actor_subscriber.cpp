#include <callboard/actors/actor_subscriber.hpp>

#include <caf/send.hpp>

#include <callboard/actors/loop_context.hpp>

namespace callboard {

void subscribe_answer::deliver(position x, recovery missed) {
  if (where.pending())
    where.deliver(std::move(x));
  else
    where_and_whole.deliver(std::move(x), missed == recovery::whole);
}

void subscribe_answer::fail(const caf::error& why) {
  if (where.pending())
    where.deliver(why);
  else
    where_and_whole.deliver(why);
}

actor_subscriber::actor_subscriber(const caf::actor& who, size_t bytes_max,
                                   loop_context& ctx)
  : who_{who.address()},
    bytes_max_{bytes_max},
    ctx_{ctx},
    waiting_{std::make_shared<mailbox_bytes>()} {
}

uint32_t actor_subscriber::await_answer(const std::string& subject,
                                        subscribe_answer answer) {
  answers_.emplace(++last_seq_id_, waiting_answer{subject, std::move(answer)});
  return last_seq_id_;
}

std::vector<std::string> actor_subscriber::refuse_all(errc code) {
  std::vector<std::string> result;
  for (auto& [seq_id, x] : std::exchange(answers_, {})) {
    x.answer.fail(caf::make_error(code));
    result.push_back(std::move(x.subject));
  }
  return result;
}

void actor_subscriber::refuse(uint32_t seq_id, errc code) {
  if (auto node = answers_.extract(seq_id))
    node.mapped().answer.fail(caf::make_error(code));
}

void actor_subscriber::unsubscribed(const std::string& subject) {
  overflowed_.erase(subject);
}

void actor_subscriber::on_subscribed(uint32_t seq_id, std::string_view,
                                     const topic_position* where,
                                     recovery missed, last_values values) {
  if (values == last_values::too_many)
    ctx_.metrics.last_values_withheld->inc();
  if (auto node = answers_.extract(seq_id))
    node.mapped().answer.deliver(where != nullptr
                                   ? position{where->epoch, where->offset}
                                   : position{},
                                 missed);
}

void actor_subscriber::on_refused(uint32_t seq_id, std::string_view,
                                  errc code) {
  refuse(seq_id, code);
}

void actor_subscriber::on_position(std::string_view subject,
                                   const topic_position* where,
                                   std::string_view) {
  if (auto who = caf::actor_cast<caf::actor>(who_))
    caf::anon_send(who, std::string{subject},
                   where != nullptr ? position{where->epoch, where->offset}
                                    : position{});
}

void actor_subscriber::on_event(const publication& x, std::string_view pattern,
                                bool retained) {
  auto who = caf::actor_cast<caf::actor>(who_);
  if (!who)
    return;
  std::string subject{pattern.empty() ? std::string_view{x.topic} : pattern};
  if (overflowed_.contains(subject))
    return;
  if (waiting_->count() + x.cost() > static_cast<int64_t>(bytes_max_)) {
    overflow(subject, {x.epoch, x.offset - 1});
    return;
  }
  auto msg = to_event(x);
  msg.pattern = pattern;
  msg.retained = retained;
  msg.credit = charge(waiting_, x.cost());
  caf::anon_send(who, std::move(msg));
}

void actor_subscriber::on_presence(std::string_view topic,
                                   const presence_news* news) {
  auto who = caf::actor_cast<caf::actor>(who_);
  std::string subject{topic};
  if (!who || overflowed_.contains(subject))
    return;
  presence_update msg;
  msg.reset = news == nullptr;
  if (news != nullptr)
    msg.steps = news->steps;
  auto cost = static_cast<int64_t>(sizeof(presence_update) + topic.size());
  for (auto& x : msg.steps)
    cost += static_cast<int64_t>(sizeof(presence_step) + x.user.size());
  if (waiting_->count() + cost > static_cast<int64_t>(bytes_max_)) {
    overflow(subject, {});
    return;
  }
  msg.topic = std::move(subject);
  msg.credit = charge(waiting_, cost);
  caf::anon_send(who, std::move(msg));
}

void actor_subscriber::overflow(const std::string& subject, position last) {
  ctx_.metrics.drops_by(overflow_policy::disconnect)->inc();
  overflowed_.insert(subject);
  auto who = caf::actor_cast<caf::actor>(who_);
  // The table must not change while it delivers.
  caf::anon_send(ctx_.brokers[ctx_.index].actor, unsubscribe_atom_v, who,
                 subject);
  caf::anon_send(who, unsubscribe_atom_v, subject, std::move(last));
}

} // namespace callboard
