#include <callboard/actors/history.hpp>

#include <algorithm>
#include <utility>

namespace callboard {

void history::add(publication_ptr x, size_t size_max, int64_t now_ms) {
  while (size_ >= size_max)
    pop();
  if (size_ == ring_.size())
    grow(size_max);
  bytes_ += x->cost();
  ring_[(first_ + size_) % ring_.size()] = {std::move(x), now_ms};
  ++size_;
}

void history::expire(int64_t added_ms) {
  while (size_ > 0 && ring_[first_].added_ms <= added_ms)
    pop();
  if (size_ == 0)
    ring_ = {};
}

void history::trim(size_t size_max) {
  while (size_ > size_max)
    pop();
  if (ring_.size() > size_max)
    move_to(size_max);
}

void history::copy(uint64_t first, size_t limit, int64_t bytes_max,
                   std::vector<publication_ptr>& out) const {
  if (size_ == 0)
    return;
  auto oldest = first_offset();
  auto from = first <= oldest ? 0 : static_cast<size_t>(first - oldest);
  if (from >= size_)
    return;
  auto n = std::min(limit, size_ - from);
  for (size_t i = 0; i < n && bytes_max > 0; ++i) {
    out.push_back(at(from + i).event);
    bytes_max -= out.back()->cost();
  }
}

void history::pop() {
  auto& oldest = ring_[first_];
  bytes_ -= oldest.event->cost();
  oldest = {};
  first_ = (first_ + 1) % ring_.size();
  --size_;
}

void history::grow(size_t size_max) {
  move_to(std::min(size_max, std::max<size_t>(4, 2 * ring_.size())));
}

void history::move_to(size_t n) {
  std::vector<kept> moved(n);
  for (size_t i = 0; i < size_; ++i)
    moved[i] = std::move(ring_[(first_ + i) % ring_.size()]);
  ring_ = std::move(moved);
  first_ = 0;
}

} // namespace callboard
