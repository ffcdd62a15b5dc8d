#include "topic_load.hpp"

#include <algorithm>

#include "dialect.hpp"

namespace callboard::cmd::bench {

namespace {

constexpr size_t backlog_bytes_max = 1u << 20;

bool is_ours(worker& self, const frame_view& frame, uint32_t publishers,
             payload_mark& mark) {
  if (read_mark(frame.content, mark) && mark.source < publishers
      && frame.content.size() == self.options().payload_bytes)
    return true;
  ++self.counts.corrupt;
  self.counts.note("an event does not hold what was published");
  return false;
}

} // namespace

// -- order --------------------------------------------------------------------

void order_ledger::take(tally& counts, size_t subscriber,
                        const payload_mark& mark, uint64_t offset) {
  auto& last = last_[subscriber * publishers_ + mark.source];
  auto& last_offset = offset_[subscriber];
  auto late = mark.sequence <= last;
  if (late || (offset != 0 && offset <= last_offset)) {
    ++counts.misordered;
    counts.note("a subscriber got an event twice or out of order");
  }
  if (!late) {
    counts.lost += mark.sequence - last - 1;
    last = mark.sequence;
  }
  last_offset = std::max(last_offset, offset);
}

void order_ledger::close(tally& counts, size_t subscriber, size_t publisher,
                         uint32_t published) {
  auto last = last_[subscriber * publishers_ + publisher];
  counts.lost += published - std::min(published, last);
}

// -- fan-out ------------------------------------------------------------------

fanout_load::fanout_load(uint32_t subscribers, uint32_t publishers,
                         std::shared_ptr<publisher_counts> published)
  : subscribers_(subscribers),
    publishers_(publishers),
    published_(std::move(published)),
    ledger_(subscribers, published_->size()),
    sample_of_(subscribers, -1) {
  if (publishers == 0)
    return;
  samples_ = std::min(samples_max, subscribers);
  seen_.resize(size_t{samples_} * publishers);
  touched_.reserve(publishers);
  for (uint32_t i = 0; i < samples_; ++i) {
    auto place
      = samples_ == 1 ? 0 : uint64_t{i} * (subscribers - 1) / (samples_ - 1);
    sample_of_[place] = static_cast<int8_t>(i);
  }
}

role fanout_load::role_of(worker& self, const link& which) const {
  return {self.topic(), which.index < subscribers_ || stalls(which)};
}

bool fanout_load::stalls(const link& which) const {
  return which.index >= subscribers_ + publishers_;
}

void fanout_load::start(worker& self) {
  publication_ = self.how().publication(self.topic(),
                                        self.options().payload_bytes);
  due_ns_ = self.now();
  if (self.options().rate > 0)
    return;
  for (uint32_t i = 0; i < publishers_; ++i)
    publish(self, i, self.options().window);
}

void fanout_load::event(worker& self, link& which, const frame_view& frame) {
  if (which.stalls)
    return;
  payload_mark mark;
  auto all = static_cast<uint32_t>(published_->size());
  if (!is_ours(self, frame, all, mark))
    return;
  ledger_.take(self.counts, which.index, mark, frame.offset);
  self.deliver(mark.sent_ns);
  auto sample = which.index < subscribers_ ? sample_of_[which.index] : -1;
  if (sample < 0)
    return;
  seen_[static_cast<size_t>(sample) * publishers_ + mark.source]
    = mark.sequence;
  if (touched_.empty() || touched_.back() != mark.source)
    touched_.push_back(mark.source);
}

void fanout_load::received(worker& self, link&) {
  if (touched_.empty())
    return;
  auto& opts = self.options();
  if (self.may_publish() && opts.rate <= 0) {
    for (auto publisher : touched_) {
      auto sent = (*published_)[publisher].load(std::memory_order_relaxed);
      auto out = sent - confirmed(publisher);
      if (out < opts.window)
        publish(self, publisher, opts.window - out);
    }
  }
  touched_.clear();
}

uint32_t fanout_load::confirmed(uint32_t publisher) const {
  auto result = UINT32_MAX;
  for (uint32_t i = 0; i < samples_; ++i)
    result = std::min(result, seen_[size_t{i} * publishers_ + publisher]);
  return result;
}

int64_t fanout_load::tick(worker& self) {
  if (publishers_ == 0 || self.options().rate <= 0 || !self.may_publish())
    return -1;
  auto interval = static_cast<int64_t>(1e9 / self.options().rate);
  for (uint32_t i = 0; i < publications_at_once && due_ns_ <= self.now(); ++i) {
    auto& link = self.links()[subscribers_ + turn_];
    if (link.unsent.size() > backlog_bytes_max)
      break;
    publish(self, turn_, 1);
    turn_ = (turn_ + 1) % publishers_;
    due_ns_ += std::max<int64_t>(interval, 1);
  }
  return std::max<int64_t>(due_ns_ - self.now(), 0);
}

void fanout_load::publish(worker& self, uint32_t publisher, uint32_t count) {
  auto paced = self.options().rate > 0;
  auto sent_ns = paced ? due_ns_ : self.now();
  auto& published = (*published_)[publisher];
  auto sequence = published.load(std::memory_order_relaxed);
  auto& out = self.scratch();
  for (uint32_t i = 0; i < count; ++i)
    publication_.append_to(out, 0, self.now_ms(),
                           {publisher, ++sequence, sent_ns});
  published.store(sequence, std::memory_order_relaxed);
  self.counts.published += count;
  self.send(self.links()[subscribers_ + publisher], out);
}

void fanout_load::finish(worker& self) {
  for (uint32_t i = 0; i < subscribers_; ++i)
    for (size_t j = 0; j < published_->size(); ++j)
      ledger_.close(self.counts, i, j, (*published_)[j].load());
}

// -- rooms --------------------------------------------------------------------

rooms_load::rooms_load(const bench_options& options, uint32_t first_room,
                       uint32_t rooms)
  : members_(options.members),
    first_room_(first_room),
    ledger_(size_t{rooms} * options.members, options.members),
    publications_(rooms),
    counters_(size_t{rooms} * options.members) {
}

std::string rooms_load::topic_of(worker& self, uint32_t room) const {
  return self.topic() + '/' + std::to_string(first_room_ + room);
}

role rooms_load::role_of(worker& self, const link& which) const {
  return {topic_of(self, which.index / members_), true};
}

void rooms_load::start(worker& self) {
  for (uint32_t i = 0; i < publications_.size(); ++i)
    publications_[i] = self.how().publication(topic_of(self, i),
                                              self.options().payload_bytes);
  for (auto& which : self.links())
    received(self, which);
}

void rooms_load::event(worker& self, link& which, const frame_view& frame) {
  payload_mark mark;
  if (!is_ours(self, frame, members_, mark))
    return;
  ledger_.take(self.counts, which.index, mark, frame.offset);
  self.deliver(mark.sent_ns);
  if (mark.source == which.index % members_)
    counters_[which.index].seen = mark.sequence;
}

void rooms_load::received(worker& self, link& which) {
  auto& mine = counters_[which.index];
  auto window = self.options().window;
  if (which.state != link_state::ready || !self.may_publish()
      || mine.sent - mine.seen >= window)
    return;
  auto& publication = publications_[which.index / members_];
  auto& out = self.scratch();
  for (; mine.sent - mine.seen < window; ++self.counts.published)
    publication.append_to(out, 0, self.now_ms(),
                          {which.index % members_, ++mine.sent, self.now()});
  self.send(which, out);
}

void rooms_load::finish(worker& self) {
  for (uint32_t i = 0; i < counters_.size(); ++i)
    for (uint32_t j = 0; j < members_; ++j)
      ledger_.close(self.counts, i, j, counters_[i - i % members_ + j].sent);
}

// -- idle ---------------------------------------------------------------------

role idle_load::role_of(worker& self, const link& which) const {
  auto topics = self.options().topics;
  if (topics == 0)
    return {};
  auto topic = (first_ + which.index) % topics;
  return {self.topic() + '/' + std::to_string(topic), true};
}

void idle_load::start(worker&) {
  // Nothing is sent.
}

} // namespace callboard::cmd::bench
