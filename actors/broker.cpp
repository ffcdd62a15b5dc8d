#include <callboard/actors/broker.hpp>

#include <utility>

#include <caf/sec.hpp>
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
    static_cast<int64_t>(options.history_bytes_max / node.loops),
    static_cast<int64_t>(options.ids_bytes_max / node.loops)};
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
    topics_{limits_of(ctx.node), ctx.rules()},
    presence_{presence_limits_of(ctx.node.options), ctx.node.name},
    groups_{*this, ctx, topics_},
    peers_{*this, ctx, topics_},
    replicas_{*this, ctx} {
}

broker::behavior_type broker::make_behavior() {
  set_down_handler([this](caf::down_msg& x) {
    drop(x.source);
    drop_member(x.source.id());
  });
  ctx_.metrics.presence_members->value(0);
  ctx_.metrics.copied_topics->value(0);
  ctx_.metrics.copied_topics_alone->value(0);
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
           uint64_t generation) { attach_loop(loop, subject, generation); },
    [this](attach_atom, uint32_t shard) { attach_again(ctx_, shard); },
    [this](detach_atom, uint32_t loop, const std::string& subject) {
      detach_loop(loop, subject);
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
    [this](fetch_atom, const retained_query& x) { fetch(x); },
    [this](fetched_atom, const retained_page_ptr& x) {
      ctx_.topics.fetched(*x);
    },
    [this](read_atom, uint32_t call_id, const history_query& x) {
      auto asker = caf::actor_cast<connection_actor>(current_sender());
      look_up(asker, call_id, x);
    },
    [this](history_atom, const history_query& x) {
      auto promise = make_response_promise<history_page>();
      look_up(x, [promise](caf::expected<history_found> found) mutable {
        if (found)
          promise.deliver(to_page(*found));
        else
          promise.deliver(std::move(found.error()));
      });
      return promise;
    },
    [this](read_atom, uint32_t call_id, const presence_query& x) {
      look_up(call_id, x);
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
    [this](subscribe_atom, const group_wish& x) { join_group(x); },
    [this](unsubscribe_atom, const group_wish& x) {
      leave_group(current_sender(), x.topic, x.group);
    },
    [this](const group_answer& x) { answer_group(x); },
    [this](subscribe_atom, const caf::actor& who, const std::string& topic,
           const group_options& x,
           bool again) { return join_group(who, topic, x, again); },
    [this](unsubscribe_atom, const caf::actor& who, const std::string& topic,
           const std::string& group) {
      leave_group(caf::actor_cast<caf::strong_actor_ptr>(who), topic, group);
    },
    [this](due_atom) { groups_.time_out(); },
    [this](const store_report_ptr& x) { take(*x); },
    [this](drain_atom) { hand_over(); },
    [this](reload_atom, const rule_set_ptr& x) { return reload(x); },
    [this](reload_atom) { go_on_reloading(); },
    [this](lookup_atom, const topic_query& x) { return list_topics(x); },
    [this](lookup_atom) { go_on_listing(); },
    [this](lookup_atom, topic_page& x) {
      return count_subscribers(std::move(x));
    },
    [this](cluster_atom, const peer_set_ptr& x) { peers_.install(x); },
    [this](cluster_atom, const lighter_nodes_ptr& x) {
      ctx_.elsewhere.install(x);
    },
    [this](const shard_batch& x) { peers_.take(x); },
    [this](attach_atom, const std::string& subject) {
      if (ctx_.topics.subscribers(subject) > 0)
        request_attach(ctx_, subject);
    },
    [this](attach_atom, presence_atom, const std::string& topic) {
      ctx_.topics.tell_presence_again(topic, true);
    },
    [this](cluster_atom, attach_atom) { ctx_.topics.lose_events(); },
    [this](cluster_atom) { peers_.wake(); },
    [this](cluster_atom, due_atom) { replicas_.tick(); },
    [this](leave_atom) { return peers_.leave(); },
  };
}

void broker::on_exit() {
  // No promise may outlive the actor that made it.
  for (auto& x : std::exchange(reloads_, {}))
    x.deliver(caf::make_error(errc::internal));
  for (auto& x : std::exchange(listings_, {}))
    x.promise.deliver(caf::make_error(caf::sec::request_receiver_down));
  refuse_waiting();
  peers_.abandon();
  abandon_durable();
}

// -- as the owner of topics ---------------------------------------------------

caf::result<published> broker::publish(const publication_ptr& x) {
  if (peers_.left()) {
    waiting_->remove(x->cost());
    return published{x->call_id, errc::shutting_down, {}, 0};
  }
  if (peers_.waits(x->topic)) {
    waiting_->remove(x->cost());
    return peers_.publish_later(x);
  }
  if (!peers_.owns(x->topic)) {
    waiting_->remove(x->cost());
    return peers_.publish(x);
  }
  auto* at = durable(x->topic);
  if (at != nullptr && goes_to_store(*at)) {
    auto promise = make_response_promise<published>();
    publish_durable(*at, x, {x->call_id, promise, {}});
    return promise;
  }
  waiting_->remove(x->cost());
  return publish_now(x);
}

published broker::publish_now(const publication_ptr& x) {
  published answer;
  answer.call_id = x->call_id;
  // The same after it was published, even if that makes the topic.
  auto& loops = topics_.loops_of(x->topic);
  if (congested(loops)) {
    answer.code = errc::overloaded;
    return answer;
  }
  auto make_epoch = [this] { return new_epoch(); };
  switch (topics_.publish(x, now_ms(), make_epoch)) {
    case owned_topics::publish_result::full:
      answer.code = errc::overloaded;
      return answer;
    case owned_topics::publish_result::limited:
      return limited(*x, topics_.wait_ms());
    case owned_topics::publish_result::duplicate:
      break;
    case owned_topics::publish_result::accepted:
      x->timestamp = ctx_.unix_ms;
      accepted(x, loops);
      break;
  }
  answer.position = {x->epoch, x->offset};
  return answer;
}

published broker::limited(const publication& x, int64_t wait_ms) const {
  ctx_.metrics.refusals_by(publish_refusal::rate)->inc();
  published answer;
  answer.call_id = x.call_id;
  answer.code = errc::rate_limited;
  answer.retry_after_ms = static_cast<uint64_t>(wait_ms);
  return answer;
}

void broker::accepted(const publication_ptr& x, const loop_set& loops) {
  ctx_.metrics.publications->inc();
  hand_out(x, loops);
  ctx_.metrics.history_bytes->value(topics_.kept_bytes());
  if (!x->id.empty())
    ctx_.metrics.ids_bytes->value(topics_.ids_bytes());
  if (auto n = topics_.take_evictions(); n > 0)
    ctx_.metrics.history_evictions->inc(static_cast<int64_t>(n));
}

void broker::hand_out(const publication_ptr& x, const loop_set& loops) {
  peers_.send_event(loops, x);
  hand_out_here(x, loops);
  groups_.publish(x);
}

void broker::hand_out_here(const publication_ptr& x, const loop_set& loops) {
  auto here = false;
  loops.for_each([&](uint32_t loop) {
    if (loop == ctx_.index) {
      here = true;
    } else if (!peers_.is_peer(loop)) {
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
    if (peers_.is_peer(loop))
      result |= peers_.congested(loop);
    else if (loop != ctx_.index)
      result |= ctx_.node.congested(ctx_.brokers[loop]);
  });
  return result;
}

void broker::attach_loop(uint32_t loop, const std::string& subject,
                         uint64_t generation) {
  if (is_pattern(subject)) {
    auto known = peers_.attach_pattern(loop, subject, generation);
    topics_.attach_pattern(loop, subject);
    if (known)
      tell_attached(loop, subject, generation, {}, nullptr);
  } else if (peers_.waits(subject)) {
    peers_.attach_later(loop, subject, generation);
  } else if (!peers_.owns(subject)) {
    peers_.attach(loop, subject, generation);
  } else if (auto* at = durable(subject)) {
    attach_durable(*at, loop, subject, generation);
  } else {
    attach_now(loop, subject, generation);
  }
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
  tell_attached(loop, subject, generation, std::move(where),
                std::move(retained));
}

void broker::tell_attached(uint32_t loop, const std::string& subject,
                           uint64_t generation, position where,
                           publication_ptr retained) {
  // Publications that wait in the mailbox come after the answer everywhere.
  if (peers_.is_peer(loop))
    peers_.send_attached(loop, subject, generation, std::move(where), retained);
  else if (loop == ctx_.index)
    attached(ctx_.index, subject, generation, std::move(where),
             std::move(retained));
  else
    caf::anon_send(ctx_.brokers[loop].actor, attached_atom_v, ctx_.index,
                   subject, generation, std::move(where), std::move(retained));
}

void broker::refuse(uint32_t loop, const std::string& subject,
                    uint64_t generation, errc why) {
  if (peers_.is_peer(loop))
    peers_.send_refused(loop, subject, generation, why);
  else if (loop == ctx_.index)
    refused(subject, generation, why);
  else
    caf::anon_send(ctx_.brokers[loop].actor, attached_atom_v, subject,
                   generation, why);
}

void broker::detach_loop(uint32_t loop, const std::string& subject) {
  peers_.detach(loop, subject);
  detach_now(loop, subject);
}

void broker::detach_now(uint32_t loop, const std::string& subject) {
  topics_.detach(loop, subject, now_ms());
  if (auto i = durable_.topics.find(subject); i != durable_.topics.end())
    i->second.loops.erase(loop);
}

std::string broker::new_epoch() {
  return ctx_.node.incarnation + '.'
         + std::to_string(ctx_.node.next_epoch.fetch_add(1));
}

void broker::expire() {
  groups_.expire();
  topics_.expire(now_ms(),
                 [this](const std::string& name) { return may_go(name); });
  expire_durable();
  ctx_.metrics.history_bytes->value(topics_.kept_bytes());
  ctx_.metrics.ids_bytes->value(topics_.ids_bytes());
  delayed_anon_send(caf::actor_cast<broker_actor>(this),
                    ctx_.node.options.topic_linger / 4, expire_atom_v);
}

int64_t broker::now_ms() const {
  auto since_epoch = clock().now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch)
    .count();
}

} // namespace callboard
