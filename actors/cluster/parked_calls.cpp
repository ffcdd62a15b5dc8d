#include <callboard/actors/cluster/parked_calls.hpp>

namespace callboard {

void parked_calls::add(uint32_t slot, std::string_view topic, int64_t bytes,
                       call x, uint32_t tag) {
  add_to(added_, {slot, tag, std::string{topic}, bytes, std::move(x)});
}

void parked_calls::add_returned(uint32_t slot, std::string_view topic,
                                int64_t bytes, call x) {
  add_to(returned_, {slot, untagged, std::string{topic}, bytes, std::move(x)});
}

void parked_calls::add_to(std::deque<entry>& to, entry x) {
  if (!has_room(x.bytes))
    return x.what(errc::overloaded);
  bytes_ += x.bytes;
  to.push_back(std::move(x));
}

void parked_calls::cancel(std::string_view topic, uint32_t tag) {
  std::erase_if(added_, [&](const entry& x) {
    if (x.tag != tag || x.topic != topic)
      return false;
    bytes_ -= x.bytes;
    return true;
  });
}

} // namespace callboard
