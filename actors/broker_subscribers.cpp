#include <callboard/actors/broker.hpp>

#include <chrono>

#include <caf/send.hpp>

#include <callboard/actors/actor_subscriber.hpp>
#include <callboard/actors/faults.hpp>
#include <callboard/actors/tenant_space.hpp>
#include <callboard/messages/topic.hpp>

// What a shard does for the subscribers of its loop, and what the loop asks of
// the topics' owners.

namespace callboard {

namespace {

// How soon an owner that had no place for a topic is asked again.
constexpr auto attach_retry_interval = std::chrono::seconds{1};

} // namespace

// -- as the server of the loop's subscriptions --------------------------------

void broker::deliver(const publication_ptr& x) {
  auto n = ctx_.topics.deliver(x);
  ctx_.counts.deliveries += n;
  // Events are the frames that connections do not write themselves.
  ctx_.counts.frames_out[static_cast<size_t>(frame_type::event)]
    += static_cast<uint32_t>(n);
}

void broker::attached(uint32_t shard, const std::string& subject,
                      uint64_t generation, position where,
                      publication_ptr retained) {
  if (is_pattern(subject))
    ctx_.topics.pattern_attached(subject, generation, shard, ctx_.node.loops);
  else
    ctx_.topics.attached(subject, generation,
                         {std::move(where.epoch), where.offset},
                         std::move(retained));
}

void broker::refused(const std::string& subject, uint64_t generation,
                     errc why) {
  if (ctx_.topics.refused(subject, generation, why))
    return request_detach(ctx_, subject);
  // They had the topic from another owner, or from another life of this one. An
  // owner whose store fails tells them each time that anybody needs the topic.
  if (ctx_.topics.subscribers(subject) == 0
      || !asked_again_.insert(subject).second)
    return;
  run_delayed(attach_retry_interval, [this, subject] {
    asked_again_.erase(subject);
    if (ctx_.topics.subscribers(subject) > 0)
      request_attach(ctx_, subject);
  });
}

void broker::watch(const caf::strong_actor_ptr& connection) {
  if (connection)
    monitor(connection);
}

void broker::drop(const caf::actor_addr& who) {
  if (!injected(fault::keep_subscription))
    drop_subscriber(ctx_, who.id());
}

void broker::subscribe(const caf::actor& who, const std::string& subject,
                       subscribe_answer answer, const topic_position* since,
                       bool watches) {
  if (watches && !has_presence(subject)) {
    answer.fail(caf::make_error(errc::no_presence));
    return;
  }
  auto isolated = ctx_.node.options.tenant_isolation;
  if (auto wrong = check_full_name(isolated, subject, check_subscription);
      wrong != subject_error::none) {
    answer.fail(
      caf::make_error(errc::bad_subject, std::string{to_sentence(wrong)}));
    return;
  }
  auto& entry = ctx_.subscribers[who.id()];
  if (entry.box == nullptr) {
    entry.address = who.address();
    entry.box = outbox_ptr{new outbox{ctx_.outboxes, wire_form::msgpack, 1}};
    entry.actor = std::make_unique<actor_subscriber>(
      who, ctx_.node.options.outbox_bytes_max, ctx_);
    entry.box->owner = entry.actor.get();
    monitor(who);
  }
  auto seq_id = entry.actor->await_answer(subject, std::move(answer));
  switch (
    ctx_.topics.subscribe(*entry.box, subject, seq_id, false, since, watches)) {
    case topic_table::subscribe_result::duplicate:
      entry.actor->refuse(seq_id, errc::already_subscribed);
      break;
    case topic_table::subscribe_result::attach:
      request_attach(ctx_, subject);
      break;
    default:
      break;
  }
}

void broker::unsubscribe(const caf::actor& who, const std::string& subject) {
  auto i = ctx_.subscribers.find(who.id());
  if (i == ctx_.subscribers.end())
    return;
  auto result = ctx_.topics.unsubscribe(*i->second.box, subject);
  if (auto& actor = i->second.actor; actor != nullptr) {
    actor->unsubscribed(subject);
    if (result.waiting_seq_id != 0)
      actor->refuse(result.waiting_seq_id, errc::cancelled);
  }
  if (result.detach)
    request_detach(ctx_, subject);
}

void broker::refuse_waiting() {
  for (auto& [id, x] : ctx_.subscribers) {
    if (x.actor == nullptr)
      continue;
    for (auto& subject : x.actor->refuse_all(errc::internal))
      if (ctx_.topics.unsubscribe(*x.box, subject).detach)
        request_detach(ctx_, subject);
  }
}

// -- asking the owners --------------------------------------------------------

namespace {

template <class F>
void for_each_owner(loop_context& ctx, const std::string& subject, F&& f) {
  if (is_pattern(subject))
    for (auto& shard : ctx.brokers)
      f(shard.actor);
  else
    f(ctx.broker_of(subject).actor);
}

} // namespace

void request_attach(loop_context& ctx, const std::string& subject) {
  auto generation = ctx.topics.new_generation(subject);
  for_each_owner(ctx, subject, [&](const broker_actor& owner) {
    caf::anon_send(owner, attach_atom_v, ctx.index, subject, generation);
  });
}

void request_detach(loop_context& ctx, const std::string& subject) {
  for_each_owner(ctx, subject, [&](const broker_actor& owner) {
    caf::anon_send(owner, detach_atom_v, ctx.index, subject);
  });
}

void drop_subscriber(loop_context& ctx, caf::actor_id who) {
  auto i = ctx.subscribers.find(who);
  if (i == ctx.subscribers.end())
    return;
  std::vector<std::string> detached;
  ctx.topics.remove(*i->second.box, detached);
  ctx.subscribers.erase(i);
  for (auto& subject : detached)
    request_detach(ctx, subject);
}

void attach_again(loop_context& ctx, uint32_t shard) {
  std::vector<std::string> subjects;
  ctx.topics.for_each_subject([&](const std::string& name, bool pattern) {
    if (pattern || shard_of(name, ctx.node.loops) == shard)
      subjects.push_back(name);
  });
  for (auto& x : subjects) {
    if (is_pattern(x))
      ctx.topics.lose_until_attached(x);
    request_attach(ctx, x);
    ctx.counts.frames_out[static_cast<size_t>(frame_type::presence)]
      += static_cast<uint32_t>(ctx.topics.reset_presence(x, ctx.unix_ms));
  }
}

void shard_replaced(loop_context& ctx, uint32_t shard) {
  // A new owner knows of nobody.
  ctx.topics.for_each_subject([&](const std::string& name, bool pattern) {
    if (!pattern && shard_of(name, ctx.node.loops) == shard)
      ctx.topics.tell_presence_again(name);
  });
  attach_again(ctx, shard);
  // What this loop's shard has sent to the dead one is lost too. Only from now
  // on does it send to the new one, so whatever that one asks for comes.
  if (shard != ctx.index)
    caf::anon_send(ctx.brokers[shard].actor, attach_atom_v, ctx.index);
}

} // namespace callboard
