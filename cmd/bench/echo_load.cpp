#include "echo_load.hpp"

#include <algorithm>

namespace callboard::cmd::bench {

namespace {

// Counts a response that came, or that it holds something else than was sent.
void take_echo(worker& self, const link& which, const frame_view& frame) {
  payload_mark mark;
  if (!read_mark(frame.content, mark) || mark.source != which.index
      || mark.sequence != frame.seq_id
      || frame.content.size() != self.options().payload_bytes) {
    ++self.counts.corrupt;
    self.counts.note("a response does not hold what was sent");
    return;
  }
  self.deliver(mark.sent_ns);
}

void count_stray(worker& self) {
  ++self.counts.misordered;
  self.counts.note("a response came that was not awaited");
}

void count_lost_requests(tally& counts) {
  auto settled = counts.delivered + counts.errors + counts.corrupt;
  counts.lost += counts.published - std::min(counts.published, settled);
}

} // namespace

// -- requests -----------------------------------------------------------------

request_load::request_load(const bench_options& options, uint32_t links)
  : request_(message_template::frame(wire_request, "callboard.echo",
                                     options.payload_bytes)),
    in_flight_(size_t{links} * options.window) {
  answered_.reserve(options.window);
}

void request_load::start(worker& self) {
  for (auto& which : self.links()) {
    for (uint32_t slot = 0; slot < self.options().window; ++slot)
      answered_.push_back(slot);
    received(self, which);
  }
}

void request_load::received(worker& self, link& which) {
  if (answered_.empty())
    return;
  if (!self.may_publish()) {
    answered_.clear();
    return;
  }
  auto window = self.options().window;
  auto& out = self.scratch();
  for (auto slot : answered_) {
    auto& seq_id = in_flight_[size_t{which.index} * window + slot];
    // A slot's numbers are those that leave the same rest.
    seq_id = seq_id == 0 || seq_id > UINT32_MAX - window ? slot + 1
                                                         : seq_id + window;
    request_.append_to(out, seq_id, self.now_ms(),
                       {which.index, seq_id, self.now()});
  }
  self.counts.published += answered_.size();
  answered_.clear();
  self.send(which, out);
}

void request_load::answered(worker& self, link& which,
                            const frame_view& frame) {
  if (settle(self, which, frame.seq_id))
    take_echo(self, which, frame);
}

void request_load::refused(worker& self, link& which, const frame_view& frame) {
  if (frame.seq_id != 0)
    settle(self, which, frame.seq_id);
}

bool request_load::settle(worker& self, link& which, uint64_t seq_id) {
  auto window = self.options().window;
  auto slot = static_cast<uint32_t>((seq_id - 1) % window);
  if (seq_id == 0 || in_flight_[size_t{which.index} * window + slot] != seq_id
      || answered_.size() == window) {
    count_stray(self);
    return false;
  }
  answered_.push_back(slot);
  return true;
}

void request_load::finish(worker& self) {
  count_lost_requests(self.counts);
}

// -- requests at a rate -------------------------------------------------------

paced_request_load::paced_request_load(const bench_options& options,
                                       uint32_t links)
  : request_(message_template::frame(wire_request, "callboard.echo",
                                     options.payload_bytes)),
    window_(options.window),
    interval_ns_(std::max(static_cast<int64_t>(1e9 / options.rate
                                               * options.connections / links),
                          int64_t{1})),
    asked_(links),
    in_flight_(size_t{links} * options.window) {
}

void paced_request_load::start(worker& self) {
  due_ns_ = self.now();
}

int64_t paced_request_load::tick(worker& self) {
  if (!self.may_publish())
    return -1;
  for (uint32_t i = 0; i < publications_at_once && due_ns_ <= self.now(); ++i) {
    // With no room there is nothing to do until something comes.
    if (!ask(self))
      return -1;
    due_ns_ += interval_ns_;
  }
  return std::max<int64_t>(due_ns_ - self.now(), 0);
}

void paced_request_load::measured(worker& self) {
  while (due_ns_ <= self.now() && ask(self))
    due_ns_ += interval_ns_;
  if (due_ns_ <= self.now())
    self.counts.unsent
      += static_cast<uint64_t>((self.now() - due_ns_) / interval_ns_) + 1;
}

bool paced_request_load::ask(worker& self) {
  if (out_ == in_flight_.size())
    return false;
  auto& links = self.links();
  for (size_t i = 0; i < links.size(); ++i) {
    auto& which = links[turn_];
    turn_ = (turn_ + 1) % static_cast<uint32_t>(links.size());
    auto& asked = asked_[which.index];
    auto seq_id = asked == UINT32_MAX ? 1 : asked + 1;
    auto& slot = slot_of(which.index, seq_id);
    if (which.state != link_state::ready || slot != 0)
      continue;
    slot = asked = seq_id;
    ++out_;
    ++self.counts.published;
    auto& out = self.scratch();
    request_.append_to(out, seq_id, self.now_ms(),
                       {which.index, seq_id, due_ns_});
    self.send(which, out);
    return true;
  }
  return false;
}

void paced_request_load::answered(worker& self, link& which,
                                  const frame_view& frame) {
  if (settle(self, which.index, frame.seq_id))
    take_echo(self, which, frame);
}

void paced_request_load::refused(worker& self, link& which,
                                 const frame_view& frame) {
  if (frame.seq_id != 0)
    settle(self, which.index, frame.seq_id);
}

bool paced_request_load::settle(worker& self, uint32_t connection,
                                uint64_t seq_id) {
  auto awaited = seq_id != 0 && slot_of(connection, seq_id) == seq_id;
  if (!awaited) {
    count_stray(self);
    return false;
  }
  slot_of(connection, seq_id) = 0;
  --out_;
  return true;
}

uint32_t& paced_request_load::slot_of(uint32_t connection, uint64_t seq_id) {
  return in_flight_[size_t{connection} * window_ + (seq_id - 1) % window_];
}

void paced_request_load::finish(worker& self) {
  count_lost_requests(self.counts);
}

// -- plain messages -----------------------------------------------------------

websocket_echo_load::websocket_echo_load(const bench_options& options,
                                         uint32_t links)
  : message_(message_template::plain(options.payload_bytes)), counters_(links) {
}

void websocket_echo_load::start(worker& self) {
  for (auto& which : self.links())
    received(self, which);
}

void websocket_echo_load::event(worker& self, link& which,
                                const frame_view& frame) {
  payload_mark mark;
  if (!read_mark(frame.content, mark) || mark.source != which.index
      || frame.content.size() != self.options().payload_bytes) {
    ++self.counts.corrupt;
    self.counts.note("a message that came back is not what was sent");
    return;
  }
  auto& back = counters_[which.index].back;
  auto ahead = mark.sequence - back - 1;
  if (ahead < self.options().window) {
    self.counts.lost += ahead;
    back = mark.sequence;
    self.deliver(mark.sent_ns);
  } else {
    ++self.counts.misordered;
    self.counts.note("a message came back twice or too late");
  }
}

void websocket_echo_load::received(worker& self, link& which) {
  auto& mine = counters_[which.index];
  if (which.state != link_state::ready || !self.may_publish()
      || mine.sent - mine.back >= self.options().window)
    return;
  auto& out = self.scratch();
  while (mine.sent - mine.back < self.options().window) {
    message_.append_to(out, 0, 0, {which.index, ++mine.sent, self.now()});
    ++self.counts.published;
  }
  self.send(which, out);
}

void websocket_echo_load::finish(worker& self) {
  for (auto& mine : counters_)
    self.counts.lost += mine.sent - mine.back;
}

// -- which of them ------------------------------------------------------------

std::unique_ptr<load> make_echo_load(const bench_options& options,
                                     uint32_t links) {
  if (!options.websocket_echo.empty())
    return std::make_unique<websocket_echo_load>(options, links);
  if (options.rate > 0)
    return std::make_unique<paced_request_load>(options, links);
  return std::make_unique<request_load>(options, links);
}

} // namespace callboard::cmd::bench
