#include <callboard/actors/broker.hpp>

#include <limits>

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

presence_registry::limits presence_limits_of(const node_options& x) {
  using std::chrono::milliseconds;
  static constexpr size_t lingering_max = 100'000;
  return {std::chrono::duration_cast<milliseconds>(x.presence_linger).count(),
          std::chrono::duration_cast<milliseconds>(x.presence_interval).count(),
          lingering_max};
}

} // namespace

broker::broker(caf::actor_config& cfg, caf::execution_unit* loop,
               loop_context& ctx, mailbox_bytes_ptr waiting)
  : super{cfg, loop},
    ctx_{ctx},
    waiting_{std::move(waiting)},
    topics_{limits_of(ctx.node), ctx.node.options.topics},
    presence_{presence_limits_of(ctx.node.options)},
    groups_{*this, ctx, topics_} {
}

broker::behavior_type broker::make_behavior() {
  set_down_handler([this](caf::down_msg& x) {
    drop(x.source);
    groups_.drop(x.source.id());
  });
  ctx_.metrics.presence_members->value(0);
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
    [this](publish_atom, publication_ptr& x) { return publish(x); },
    [this](attach_atom, uint32_t loop, const std::string& subject,
           uint64_t generation) { attach(loop, subject, generation); },
    [this](detach_atom, uint32_t loop, const std::string& subject) {
      topics_.detach(loop, subject, now_ms());
    },
    [this](attached_atom, uint32_t shard, const std::string& subject,
           uint64_t generation, position& where, publication_ptr& retained) {
      attached(shard, subject, generation, std::move(where),
               std::move(retained));
    },
    [this](fetch_atom, uint32_t loop, const std::string& topic,
           uint64_t first) { fetch(loop, topic, first); },
    [this](fetched_atom, const history_slice_ptr& x) {
      ctx_.topics.fetched(x);
    },
    [this](read_atom, uint32_t call_id, const history_query& x) {
      waiting_->remove(x.cost());
      auto asker = caf::actor_cast<connection_actor>(current_sender());
      send(asker, resolve_atom_v, call_id, look_up(x));
    },
    [this](read_atom, uint32_t call_id, const presence_query& x) {
      waiting_->remove(x.cost());
      auto asker = current_sender();
      if (x.server == ctrl())
        relay(asker, call_id, look_up(x));
      else
        caf::anon_send(caf::actor_cast<broker_actor>(x.server), resolve_atom_v,
                       asker, call_id, look_up(x));
    },
    [this](resolve_atom, const caf::strong_actor_ptr& asker, uint32_t call_id,
           const request_outcome& x) { relay(asker, call_id, x); },
    [this](presence_atom, const presence_report_ptr& x) { take_report(*x); },
    [this](presence_atom, const presence_news_ptr& x) { deliver(*x); },
    [this](presence_atom) { wake_presence(); },
    [this](presence_atom, const std::string& topic) {
      return count_presence(topic);
    },
    [this](presence_atom, const std::string& topic, uint32_t limit,
           const std::string& after) {
      return list_presence(topic, limit, after);
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
    [this](subscribe_atom, presence_atom, const caf::actor& who,
           const std::string& subject) {
      auto promise = make_response_promise<position>();
      subscribe(who, subject, {promise, {}}, nullptr, true);
      return promise;
    },
    [this](unsubscribe_atom, const caf::actor& who,
           const std::string& subject) { unsubscribe(who, subject); },
    [this](expire_atom) { expire(); },
    [this](subscribe_atom, const group_wish& x) {
      groups_.subscribe(current_sender(), x);
    },
    [this](unsubscribe_atom, const group_wish& x) {
      groups_.unsubscribe(current_sender(), x.topic, x.group);
    },
    [this](const group_answer& x) { groups_.answer(x); },
    [this](subscribe_atom, const caf::actor& who, const std::string& topic,
           const group_options& x) { return groups_.subscribe(who, topic, x); },
    [this](unsubscribe_atom, const caf::actor& who, const std::string& topic,
           const std::string& group) {
      groups_.unsubscribe(caf::actor_cast<caf::strong_actor_ptr>(who), topic,
                          group);
    },
    [this](due_atom) { groups_.time_out(); },
  };
}

// -- as the owner of topics ---------------------------------------------------

published broker::publish(const publication_ptr& x) {
  waiting_->remove(x->cost());
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
      ctx_.metrics.publications->inc();
      hand_out(x);
      ctx_.metrics.history_bytes->value(topics_.kept_bytes());
      if (auto n = topics_.take_evictions(); n > 0)
        ctx_.metrics.history_evictions->inc(static_cast<int64_t>(n));
      break;
  }
  answer.position = {x->epoch, x->offset};
  return answer;
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
  groups_.publish(x);
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
  position where;
  publication_ptr retained;
  if (is_pattern(subject)) {
    topics_.attach_pattern(loop, subject);
  } else {
    auto make_epoch = [this] { return new_epoch(); };
    // An empty epoch says that there is no room.
    where = topics_.attach(loop, subject, make_epoch).value_or(position{});
    retained = topics_.retained(subject);
  }
  // Publications that wait in the mailbox come after the answer everywhere.
  if (loop == ctx_.index)
    return attached(ctx_.index, subject, generation, std::move(where),
                    std::move(retained));
  caf::anon_send(ctx_.brokers[loop].actor, attached_atom_v, ctx_.index, subject,
                 generation, std::move(where), std::move(retained));
}

void broker::fetch(uint32_t loop, const std::string& topic, uint64_t first) {
  auto slice = topics_.read(topic, first, history_slice::events_max,
                            history_slice::bytes_max, now_ms());
  // It takes its place among the events that go the same way.
  if (loop == ctx_.index)
    ctx_.topics.fetched(slice);
  else
    caf::anon_send(ctx_.brokers[loop].actor, fetched_atom_v, std::move(slice));
}

request_outcome broker::look_up(const history_query& x) {
  auto make_epoch = [this] { return new_epoch(); };
  auto where = topics_.position_of(x.topic, now_ms(), make_epoch);
  if (!where)
    return request_outcome::failure(errc::overloaded);
  if (x.position_only)
    return answer(*where);
  auto range = range_of(x, *where, topics_.oldest(x.topic, now_ms()));
  auto bytes_max = ctx_.node.options.frame_bytes_max;
  // Read backwards, the bytes count from the other end.
  auto slice = topics_.read(x.topic, range.first, range.count,
                            x.reverse ? std::numeric_limits<int64_t>::max()
                                      : static_cast<int64_t>(bytes_max),
                            now_ms());
  auto more = range.more || slice->events.size() < range.count;
  return answer(x, *slice, more, bytes_max);
}

std::string broker::new_epoch() {
  return ctx_.node.incarnation + '.'
         + std::to_string(ctx_.node.next_epoch.fetch_add(1));
}

void broker::expire() {
  groups_.expire();
  topics_.expire(now_ms());
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
  else if (where.epoch.empty())
    ctx_.topics.refused(subject, generation);
  else
    ctx_.topics.attached(subject, generation,
                         {std::move(where.epoch), where.offset},
                         std::move(retained));
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
                       subscribe_answer answer, const topic_position* since,
                       bool watches) {
  if (watches && !has_presence(subject)) {
    answer.fail(caf::make_error(errc::no_presence));
    return;
  }
  if (auto wrong = check_subscription(subject); wrong != subject_error::none) {
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
  for (auto& x : subjects) {
    request_attach(ctx, x);
    // The new owner knows of nobody, and news on the way to this loop are lost.
    if (!is_pattern(x) && shard_of(x, ctx.node.loops) == shard)
      ctx.topics.tell_presence_again(x);
    ctx.counts.frames_out[static_cast<size_t>(frame_type::presence)]
      += static_cast<uint32_t>(ctx.topics.reset_presence(x, ctx.unix_ms));
  }
}

} // namespace callboard
