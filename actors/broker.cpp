#include <callboard/actors/broker.hpp>

#include <caf/send.hpp>

#include <callboard/actors/actor_subscriber.hpp>
#include <callboard/messages/topic.hpp>

namespace callboard {

namespace {

owned_topics::limits limits_of(const node_context& node) {
  using std::chrono::milliseconds;
  auto& options = node.options;
  return {
    options.topics_max,
    std::chrono::duration_cast<milliseconds>(options.topic_linger).count(),
    static_cast<int64_t>(options.history_bytes_max / node.loops)};
}

} // namespace

broker::broker(caf::actor_config& cfg, caf::execution_unit* loop,
               loop_context& ctx, mailbox_bytes_ptr waiting)
  : super{cfg, loop},
    ctx_{ctx},
    waiting_{std::move(waiting)},
    topics_{limits_of(ctx.node), ctx.node.options.topics} {
}

broker::behavior_type broker::make_behavior() {
  set_down_handler([this](caf::down_msg& x) { drop(x.source); });
  // A shard that takes over watches whom its predecessor watched.
  std::vector<caf::actor_addr> gone;
  for (auto& [id, x] : ctx_.subscribers) {
    if (auto ptr = caf::actor_cast<caf::strong_actor_ptr>(x.address))
      monitor(ptr);
    else
      gone.push_back(x.address);
  }
  for (auto& x : gone)
    drop(x);
  delayed_anon_send(caf::actor_cast<broker_actor>(this),
                    ctx_.node.options.topic_linger / 4, expire_atom_v);
  return {
    [this](publish_atom, publication_ptr& x) -> caf::result<published> {
      return publish(x);
    },
    [this](attach_atom, uint32_t loop, const std::string& subject,
           uint64_t generation) { attach(loop, subject, generation); },
    [this](detach_atom, uint32_t loop, const std::string& subject) {
      detach(loop, subject);
    },
    [this](attached_atom, uint32_t shard, const std::string& subject,
           uint64_t generation, position& where, publication_ptr& retained) {
      attached(shard, subject, generation, std::move(where),
               std::move(retained));
    },
    [this](attached_atom, const std::string& subject, uint64_t generation,
           const caf::error& why) {
      refused(subject, generation, errc_of(why));
    },
    [this](fetch_atom, uint32_t loop, const std::string& topic,
           uint64_t first) { fetch(loop, topic, first); },
    [this](fetched_atom, const history_slice_ptr& x) {
      ctx_.topics.fetched(x);
    },
    [this](read_atom, uint32_t call_id, const history_query& x) {
      auto asker = caf::actor_cast<connection_actor>(current_sender());
      look_up(asker, call_id, x);
    },
    [this](deliver_atom, publication_ptr& x) {
      waiting_->remove(x->cost());
      deliver(x);
    },
    [this](watch_atom, const caf::strong_actor_ptr& x) { watch(x); },
    [this](subscribe_atom, const caf::actor& who, const std::string& subject) {
      auto promise = make_response_promise<position>();
      subscribe(who, subject, {promise, {}}, nullptr);
      return promise;
    },
    [this](subscribe_atom, const caf::actor& who, const std::string& subject,
           position& since) {
      auto promise = make_response_promise<position, bool>();
      topic_position from{std::move(since.epoch), since.offset};
      subscribe(who, subject, {{}, promise}, &from);
      return promise;
    },
    [this](unsubscribe_atom, const caf::actor& who,
           const std::string& subject) { unsubscribe(who, subject); },
    [this](expire_atom) { expire(); },
    [this](const store_report_ptr& x) { take(*x); },
    [this](drain_atom) { hand_over(); },
  };
}

// -- as the owner of topics ---------------------------------------------------

caf::result<published> broker::publish(const publication_ptr& x) {
  auto* at = durable(x->topic);
  if (at != nullptr
      && (at->on_disk() || at->at != durable_topic::stage::ready
          || durable_.handed_over))
    return publish_durable(*at, x);
  waiting_->remove(x->cost());
  return publish_now(x);
}

published broker::publish_now(const publication_ptr& x) {
  published answer;
  answer.call_id = x->call_id;
  if (congested(topics_.loops_of(x->topic))) {
    answer.code = errc::overloaded;
    return answer;
  }
  auto make_epoch = [this] { return new_epoch(); };
  switch (topics_.publish(x, now_ms(), make_epoch)) {
    case owned_topics::publish_result::full:
      answer.code = errc::overloaded;
      return answer;
    case owned_topics::publish_result::duplicate:
      break;
    case owned_topics::publish_result::accepted:
      x->timestamp = ctx_.unix_ms;
      accepted(x);
      break;
  }
  answer.position = {x->epoch, x->offset};
  return answer;
}

void broker::accepted(const publication_ptr& x) {
  ctx_.metrics.publications->inc();
  hand_out(x);
  ctx_.metrics.history_bytes->value(topics_.kept_bytes());
  if (auto n = topics_.take_evictions(); n > 0)
    ctx_.metrics.history_evictions->inc(static_cast<int64_t>(n));
}

void broker::hand_out(const publication_ptr& x) {
  auto here = false;
  topics_.loops_of(x->topic).for_each([&](uint32_t loop) {
    if (loop == ctx_.index) {
      here = true;
    } else {
      auto& shard = ctx_.brokers[loop];
      shard.waiting->add(x->cost());
      caf::anon_send(shard.actor, deliver_atom_v, x);
    }
  });
  if (here)
    deliver(x);
}

bool broker::congested(const loop_set& loops) const {
  auto result = false;
  loops.for_each([&](uint32_t loop) {
    if (loop != ctx_.index)
      result |= ctx_.node.congested(ctx_.brokers[loop]);
  });
  return result;
}

void broker::attach(uint32_t loop, const std::string& subject,
                    uint64_t generation) {
  if (auto* at = is_pattern(subject) ? nullptr : durable(subject))
    attach_durable(*at, loop, subject, generation);
  else
    attach_now(loop, subject, generation);
}

void broker::attach_now(uint32_t loop, const std::string& subject,
                        uint64_t generation) {
  position where;
  publication_ptr retained;
  if (is_pattern(subject)) {
    topics_.attach_pattern(loop, subject);
  } else {
    auto make_epoch = [this] { return new_epoch(); };
    auto found = topics_.attach(loop, subject, make_epoch);
    if (!found)
      return refuse(loop, subject, generation, errc::overloaded);
    where = std::move(*found);
    retained = topics_.retained(subject);
  }
  // Publications that wait in the mailbox come after the answer everywhere.
  if (loop == ctx_.index)
    return attached(ctx_.index, subject, generation, std::move(where),
                    std::move(retained));
  caf::anon_send(ctx_.brokers[loop].actor, attached_atom_v, ctx_.index, subject,
                 generation, std::move(where), std::move(retained));
}

void broker::refuse(uint32_t loop, const std::string& subject,
                    uint64_t generation, errc why) {
  if (loop == ctx_.index)
    refused(subject, generation, why);
  else
    caf::anon_send(ctx_.brokers[loop].actor, attached_atom_v, subject,
                   generation, why);
}

void broker::detach(uint32_t loop, const std::string& subject) {
  topics_.detach(loop, subject, now_ms());
  if (auto i = durable_.topics.find(subject); i != durable_.topics.end())
    i->second.loops.erase(loop);
}

std::string broker::new_epoch() {
  return ctx_.node.incarnation + '.'
         + std::to_string(ctx_.node.next_epoch.fetch_add(1));
}

void broker::expire() {
  topics_.expire(now_ms(),
                 [this](const std::string& name) { return may_go(name); });
  expire_durable();
  ctx_.metrics.history_bytes->value(topics_.kept_bytes());
  delayed_anon_send(caf::actor_cast<broker_actor>(this),
                    ctx_.node.options.topic_linger / 4, expire_atom_v);
}

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
    request_detach(ctx_, subject);
}

void broker::watch(const caf::strong_actor_ptr& connection) {
  if (connection)
    monitor(connection);
}

void broker::drop(const caf::actor_addr& who) {
  auto i = ctx_.subscribers.find(who.id());
  if (i == ctx_.subscribers.end())
    return;
  std::vector<std::string> detached;
  ctx_.topics.remove(*i->second.box, detached);
  ctx_.subscribers.erase(i);
  for (auto& subject : detached)
    request_detach(ctx_, subject);
}

void broker::subscribe(const caf::actor& who, const std::string& subject,
                       subscribe_answer answer, const topic_position* since) {
  if (auto wrong = is_pattern(subject) ? check_pattern(subject)
                                       : check_topic(subject);
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
  auto seq_id = entry.actor->await_answer(std::move(answer));
  switch (ctx_.topics.subscribe(*entry.box, subject, seq_id, false, since)) {
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

int64_t broker::now_ms() const {
  auto since_epoch = clock().now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch)
    .count();
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

void request_attach_again(loop_context& ctx, uint32_t shard) {
  std::vector<std::string> subjects;
  ctx.topics.for_each_subject([&](const std::string& name, bool pattern) {
    // What other shards have sent to this loop's is lost with it.
    if (pattern || shard == ctx.index
        || shard_of(name, ctx.node.loops) == shard)
      subjects.push_back(name);
  });
  for (auto& x : subjects)
    request_attach(ctx, x);
}

} // namespace callboard
