#include <callboard/actors/outbox.hpp>

#include <callboard/actors/topic_table.hpp>

namespace callboard {

outbox::outbox(outbox_scheduler& scheduler, wire_form form, size_t bytes_max)
  : scheduler_{scheduler},
    bytes_max_{static_cast<uint32_t>(bytes_max)},
    form_{form} {
}

outbox::~outbox() {
  scheduler_.queued_bytes_ -= queued_;
}

void outbox::append(const chunk_ptr& x) {
  if (push_shared(x))
    mark_dirty();
}

void outbox::append_and_send(const chunk_ptr& x) {
  if (dirty_ || blocked_ || transport_ == nullptr) {
    append(x);
    return;
  }
  if (queued_ > 0 || closed_ || overflowed_ || x->bytes.size() > bytes_max_) {
    if (push_shared(x))
      transport_->flush(*this);
    return;
  }
  auto bytes = x->bytes.view();
  auto sent = transport_->send(bytes);
  scheduler_.sent_bytes_ += sent;
  if (sent == bytes.size())
    return;
  first_ = piece{x, static_cast<uint32_t>(sent),
                 static_cast<uint32_t>(bytes.size())};
  add_queued(static_cast<uint32_t>(bytes.size() - sent));
  own_open_ = false;
  transport_->flush(*this);
}

bool outbox::push_shared(const chunk_ptr& x) {
  auto n = static_cast<uint32_t>(x->bytes.size());
  if (n == 0 || !accepts(n))
    return false;
  if (queued_ + n > bytes_max_) {
    overflow();
    return false;
  }
  if (queued_ == 0)
    first_ = piece{x, 0, n};
  else
    push_rest({x, 0, n});
  add_queued(n);
  own_open_ = false;
  return true;
}

void outbox::append(framing& wire, const frame_view& x) {
  append_own([&](byte_buffer& out) { wire.append(form_, x, out); });
}

void outbox::append(std::string_view message, std::string_view rest) {
  append_own([&](byte_buffer& out) {
    out.append(message);
    out.append(rest);
  });
}

template <class Write>
void outbox::append_own(Write&& write) {
  if (!accepts(0))
    return;
  auto& own = open_own();
  auto& out = own.bytes->bytes;
  auto before = out.size();
  write(out);
  auto n = out.size() - before;
  if (queued_ + n > bytes_max_) {
    out.truncate(before);
    return overflow();
  }
  own.end = static_cast<uint32_t>(before + n);
  add_queued(static_cast<uint32_t>(n));
  mark_dirty();
}

size_t outbox::gather(std::span<std::string_view> out) const noexcept {
  if (queued_ == 0 || out.empty())
    return 0;
  auto view = [](const piece& x) {
    return std::string_view{x.bytes->bytes.data() + x.begin, x.end - x.begin};
  };
  out[0] = view(first_);
  size_t n = 1;
  if (!has_rest_)
    return n;
  for (auto i = size_t{head_}; i < rest_.size() && n < out.size(); ++i)
    out[n++] = view(rest_[i]);
  return n;
}

void outbox::consume(size_t n) noexcept {
  scheduler_.sent_bytes_ += n;
  forget(n);
}

void outbox::drop_all() noexcept {
  forget(queued_);
}

void outbox::forget(size_t n) noexcept {
  queued_ -= static_cast<uint32_t>(n);
  scheduler_.queued_bytes_ -= n;
  while (n > 0) {
    auto size = size_t{first_.end} - first_.begin;
    if (n < size) {
      first_.begin += static_cast<uint32_t>(n);
      return;
    }
    n -= size;
    if (has_rest_) {
      first_ = std::move(rest_[head_++]);
      if (head_ == rest_.size())
        clear_rest();
    } else {
      first_ = piece{};
      own_open_ = false;
    }
  }
  if (tell_drained_ && queued_ <= bytes_max_ / 4) {
    tell_drained_ = false;
    scheduler_.drained_.emplace_back(this);
  }
}

void outbox::clear_rest() noexcept {
  rest_.clear();
  head_ = 0;
  has_rest_ = false;
  // A burst's table is not kept by a connection at rest.
  if (rest_.capacity() > 8)
    rest_.shrink_to_fit();
}

void outbox::drop_unsent() noexcept {
  clear_rest();
  if (first_.bytes && first_.begin == 0)
    first_ = piece{};
  auto left = size_t{first_.end} - first_.begin;
  scheduler_.queued_bytes_ -= queued_ - left;
  queued_ = static_cast<uint32_t>(left);
  own_open_ = false;
  overflowed_ = false;
}

void outbox::mark_dirty() {
  if (dirty_)
    return;
  dirty_ = true;
  scheduler_.dirty_.emplace_back(this);
}

bool outbox::accepts(size_t n) {
  if (closed_ || overflowed_)
    return false;
  // A burst within one turn is no sign of a slow reader: give the socket a
  // chance before the bound is held against it.
  if (queued_ + n > bytes_max_ / 2 && queued_ > 0 && !blocked_
      && transport_ != nullptr)
    transport_->flush(*this);
  return !closed_;
}

void outbox::overflow() {
  overflowed_ = true;
  mark_dirty();
}

void outbox::push_rest(piece x) {
  rest_.push_back(std::move(x));
  has_rest_ = true;
}

void outbox::add_queued(uint32_t n) noexcept {
  queued_ += n;
  scheduler_.queued_bytes_ += n;
}

outbox::piece& outbox::open_own() {
  if (own_open_ && back().bytes->bytes.size() < own_chunk_bytes)
    return back();
  piece own{scheduler_.chunks_.take(), 0, 0};
  if (queued_ == 0)
    first_ = std::move(own);
  else
    push_rest(std::move(own));
  own_open_ = true;
  return back();
}

void outbox_scheduler::flush() {
  // What is marked while flushing waits for the next call.
  flushing_.swap(dirty_);
  for (auto& x : flushing_) {
    x->dirty_ = false;
    if (x->transport_ != nullptr)
      x->transport_->flush(*x);
  }
  flushing_.clear();
}

} // namespace callboard
