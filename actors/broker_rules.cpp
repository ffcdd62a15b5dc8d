#include <callboard/actors/broker.hpp>

#include <algorithm>
#include <utility>

#include <caf/send.hpp>

// Rules that change while the node runs. What is new goes by them at once; what
// there is follows in steps, so that no turn of the loop takes long.

namespace callboard {

namespace {

// Returns whether a store keeps a topic by both in the same way.
bool kept_alike(const topic_options& x, const topic_options& y) {
  return x.history_size == y.history_size && x.history_ttl == y.history_ttl
         && x.retain == y.retain;
}

} // namespace

caf::result<uint64_t> broker::reload(const rule_set_ptr& x) {
  ctx_.set_rules(x);
  topics_.set_rules(ctx_.rules());
  auto promise = make_response_promise<uint64_t>();
  auto under_way = !reloads_.empty();
  reloads_.push_back(promise);
  if (!under_way)
    go_on_reloading();
  return promise;
}

void broker::go_on_reloading() {
  auto work = names_a_step(ctx_.rules().size());
  auto tell = [this](const std::string& name, const topic_options& before,
                     const topic_options& now) { revised(name, before, now); };
  auto done = topics_.revise(work, now_ms(), tell);
  done &= ctx_.topics.revise(work, ctx_.unix_ms);
  ctx_.counts.frames_out[static_cast<size_t>(frame_type::presence)]
    += static_cast<uint32_t>(ctx_.topics.take_presence_frames());
  ctx_.metrics.history_bytes->value(topics_.kept_bytes());
  if (!done) {
    delayed_anon_send(caf::actor_cast<broker_actor>(this), rule_step_interval,
                      reload_atom_v);
    return;
  }
  for (auto& x : std::exchange(reloads_, {}))
    x.deliver(static_cast<uint64_t>(topics_.unlike()));
}

void broker::revised(const std::string& name, const topic_options& before,
                     const topic_options& now) {
  auto i = durable_.topics.find(name);
  if (i == durable_.topics.end())
    return;
  auto& at = i->second;
  at.options = now;
  tell_store(name, at, before);
  // The store may have let go of what the topic did not keep until now.
  auto head = where(name).offset;
  auto size = before.history_size;
  if (now.history_size > size && at.stored_first != 0)
    at.stored_first = std::max(at.stored_first,
                               head >= size ? head - size + 1 : 1);
}

void broker::tell_store(const std::string& name, const durable_topic& at,
                        const topic_options& before) {
  if (at.on_disk() && !kept_alike(before, at.options))
    ctx_.node.store->set_options(name, at.options);
}

} // namespace callboard
