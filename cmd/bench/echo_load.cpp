#include "echo_load.hpp"

#include <algorithm>

namespace callboard::cmd::bench {

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
  if (!settle(self, which, frame.seq_id))
    return;
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

void request_load::refused(worker& self, link& which, const frame_view& frame) {
  if (frame.seq_id != 0)
    settle(self, which, frame.seq_id);
}

bool request_load::settle(worker& self, link& which, uint64_t seq_id) {
  auto window = self.options().window;
  auto slot = static_cast<uint32_t>((seq_id - 1) % window);
  if (seq_id == 0 || in_flight_[size_t{which.index} * window + slot] != seq_id
      || answered_.size() == window) {
    ++self.counts.misordered;
    self.counts.note("a response came that was not awaited");
    return false;
  }
  answered_.push_back(slot);
  return true;
}

void request_load::finish(worker& self) {
  auto& counts = self.counts;
  auto settled = counts.delivered + counts.errors + counts.corrupt;
  counts.lost += counts.published - std::min(counts.published, settled);
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

} // namespace callboard::cmd::bench
