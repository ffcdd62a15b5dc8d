#include "comeback_load.hpp"

#include <algorithm>

#include "dialect.hpp"

namespace callboard::cmd::bench {

namespace {

int64_t nanoseconds(double seconds) {
  return static_cast<int64_t>(seconds * 1e9);
}

} // namespace

comeback_load::comeback_load(const bench_options& options, uint32_t watchers,
                             uint32_t returning,
                             std::shared_ptr<comeback_state> shared)
  : watchers_(watchers),
    returning_(returning),
    shared_(std::move(shared)),
    ledger_(watchers + returning, 1),
    turn_ns_(nanoseconds(options.steady_s)),
    asked_ns_(returning) {
}

role comeback_load::role_of(worker& self, const link& which) const {
  role result{self.topic(), which.index < watchers_ + returning_};
  if (stage_ == stage::back && result.listens)
    result.since = {epoch_, ledger_.offset_of(which.index)};
  return result;
}

void comeback_load::joined(worker& self, link& which, const frame_view& frame) {
  topic_position position;
  if (!read_position(frame.payload, position)) {
    ++self.counts.corrupt;
    return self.counts.note("the server did not say where the topic stands");
  }
  if (stage_ != stage::back) {
    epoch_ = position.epoch;
    return;
  }
  if (!position.recovered)
    self.refuse(which, "that what was missed is not there any more: let the "
                       "topics bench/# keep a longer history");
  asked_ns_[which.index - watchers_] = self.now();
}

void comeback_load::start(worker& self) {
  publication_ = self.how().publication(self.topic(),
                                        self.options().payload_bytes);
  due_ns_ = self.now();
}

void comeback_load::event(worker& self, link& which, const frame_view& frame) {
  payload_mark mark;
  if (!read_mark(frame.content, mark) || mark.source != 0
      || frame.content.size() != self.options().payload_bytes) {
    ++self.counts.corrupt;
    return self.counts.note("an event does not hold what was published");
  }
  ledger_.take(self.counts, which.index, mark, frame.offset);
  ++self.counts.delivered;
  if (is_watcher(which)) {
    auto took = self.now() - mark.sent_ns;
    if (stage_ == stage::back)
      self.counts.latency.record(took);
    else if (stage_ == stage::steady && self.is_measuring())
      self.counts.steady_latency.record(took);
    return;
  }
  auto returning = which.index - watchers_;
  // Events are in order: the first that is younger ends what was missed.
  if (auto asked = asked_ns_[returning]; asked != 0 && mark.sent_ns > asked)
    caught_up(self, returning);
}

void comeback_load::caught_up(worker& self, uint32_t returning) {
  asked_ns_[returning] = 0;
  ++self.counts.returned;
  self.counts.comeback_ns = self.now() - turn_ns_;
  if (shared_->missing.fetch_sub(1) == 1)
    self.finish_early();
}

int64_t comeback_load::tick(worker& self) {
  if (!self.may_publish())
    return -1;
  if (self.is_measuring()) {
    if (stage_ == stage::steady && self.measured_ns() >= turn_ns_)
      leave(self);
    else if (stage_ == stage::away && self.now() >= turn_ns_)
      stage_ = stage::back;
    if (stage_ == stage::back)
      come_back(self);
    if (stage_ == stage::back && shared_->missing.load() == 0)
      stage_ = stage::whole;
  }
  if (watchers_ == 0)
    return -1;
  auto interval = nanoseconds(1 / self.options().rate);
  for (uint32_t i = 0; i < publications_at_once && due_ns_ <= self.now(); ++i) {
    publish(self);
    due_ns_ += std::max<int64_t>(interval, 1);
  }
  return std::max<int64_t>(due_ns_ - self.now(), 0);
}

void comeback_load::leave(worker& self) {
  stage_ = stage::away;
  turn_ns_ = self.now() + nanoseconds(self.options().away_s);
  for (uint32_t i = 0; i < returning_; ++i)
    self.drop(self.links()[watchers_ + i]);
}

void comeback_load::come_back(worker& self) {
  for (; begun_ < returning_ && self.may_connect(); ++begun_)
    self.connect(self.links()[watchers_ + begun_]);
}

void comeback_load::publish(worker& self) {
  auto& published = shared_->published;
  auto sequence = published.load(std::memory_order_relaxed) + 1;
  auto& out = self.scratch();
  publication_.append_to(out, 0, self.now_ms(), {0, sequence, due_ns_});
  published.store(sequence, std::memory_order_relaxed);
  ++self.counts.published;
  self.send(self.links().back(), out);
}

void comeback_load::finish(worker& self) {
  for (uint32_t i = 0; i < watchers_ + returning_; ++i)
    ledger_.close(self.counts, i, 0, shared_->published.load());
}

} // namespace callboard::cmd::bench
