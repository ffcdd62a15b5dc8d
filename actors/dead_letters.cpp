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
  keep(++last_number_, std::move(x));
  pump();
}

void dead_letters::keep(uint64_t number, publication_ptr x) {
  if (waiting_.size() >= waiting_max
      || (!waiting_.empty() && bytes_ + x->cost() > bytes_max_)) {
    ctx_.metrics.groups.lost->inc();
    return;
  }
  bytes_ += x->cost();
  waiting_.emplace(number, std::move(x));
}

void dead_letters::pump() {
  while (!paused_ && !waiting_.empty() && on_their_way_ < window) {
    auto first = waiting_.extract(waiting_.begin());
    bytes_ -= first.mapped()->cost();
    send(first.key(), std::move(first.mapped()));
  }
}

void dead_letters::send(uint64_t number, publication_ptr x) {
  auto& owner = ctx_.broker_of(x->topic);
  // Where the owner took it and died, it is the owner's for ever.
  auto copy = caf::make_counted<publication>(*x);
  if (ctx_.node.congested(owner))
    return retry(number, std::move(x));
  ++on_their_way_;
  owner.waiting->add(copy->cost());
  self_.request(owner.actor, caf::infinite, publish_atom_v, std::move(copy))
    .then(
      [this, number, x](const published& answer) {
        --on_their_way_;
        if (answer.code != errc::none)
          retry(number, x);
        pump();
      },
      [this, number, x](const caf::error&) {
        --on_their_way_;
        retry(number, x);
      });
}

void dead_letters::retry(uint64_t number, publication_ptr x) {
  // It goes in front of what was added later.
  keep(number, std::move(x));
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
