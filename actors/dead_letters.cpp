#include <callboard/actors/dead_letters.hpp>

#include <chrono>
#include <utility>

#include <caf/make_counted.hpp>

#include <callboard/actors/broker.hpp>

namespace callboard {

dead_letters::dead_letters(broker& self, loop_context& ctx, int64_t bytes_max)
  : self_{self}, ctx_{ctx}, bytes_max_{bytes_max} {
}

void dead_letters::add(publication_ptr x) {
  keep(std::move(x), false);
  pump();
}

void dead_letters::keep(publication_ptr x, bool first) {
  if (waiting_.size() >= waiting_max
      || (!waiting_.empty() && bytes_ + x->cost() > bytes_max_)) {
    ctx_.metrics.groups.lost->inc();
    return;
  }
  bytes_ += x->cost();
  if (first)
    waiting_.push_front(std::move(x));
  else
    waiting_.push_back(std::move(x));
}

void dead_letters::pump() {
  while (!paused_ && !waiting_.empty() && on_their_way_ < window) {
    auto x = std::move(waiting_.front());
    waiting_.pop_front();
    bytes_ -= x->cost();
    send(std::move(x));
  }
}

void dead_letters::send(publication_ptr x) {
  auto& owner = ctx_.broker_of(x->topic);
  // Where the owner took it and died, it is the owner's for ever.
  auto copy = caf::make_counted<publication>(*x);
  if (ctx_.node.congested(owner))
    return retry(std::move(x));
  ++on_their_way_;
  owner.waiting->add(copy->cost());
  self_.request(owner.actor, caf::infinite, publish_atom_v, std::move(copy))
    .then(
      [this, x](const published& answer) {
        --on_their_way_;
        if (answer.code != errc::none)
          retry(x);
        pump();
      },
      [this, x](const caf::error&) {
        --on_their_way_;
        retry(x);
      });
}

void dead_letters::retry(publication_ptr x) {
  keep(std::move(x), true);
  if (std::exchange(paused_, true))
    return;
  self_.run_delayed(std::chrono::milliseconds{retry_after_ms(errc::overloaded)},
                    [this] { resume(); });
}

void dead_letters::resume() {
  paused_ = false;
  pump();
}

} // namespace callboard
