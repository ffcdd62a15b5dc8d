#include "load.hpp"

namespace callboard::cmd::bench {

role load::role_of(worker&, const link&) const {
  return {};
}

bool load::stalls(const link&) const {
  return false;
}

void load::joined(worker&, link&, const frame_view&) {
  // It does not matter where the topic stands.
}

void load::event(worker&, link&, const frame_view&) {
  // Nothing was subscribed to.
}

void load::answered(worker&, link&, const frame_view&) {
  // Nothing was asked.
}

void load::refused(worker&, link&, const frame_view&) {
  // Nobody waits for it.
}

void load::received(worker&, link&) {
  // Nothing to answer.
}

int64_t load::tick(worker&) {
  return -1;
}

void load::measured(worker&) {
  // What was not sent is of no interest.
}

void load::finish(worker&) {
  // Nothing is outstanding.
}

} // namespace callboard::cmd::bench
