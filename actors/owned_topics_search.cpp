#include <callboard/actors/owned_topics.hpp>

namespace callboard {

bool owned_topics::look_for(topic_search& x, size_t work) const {
  // Topics stand elsewhere when the table has grown.
  if (x.end != topics_.bucket_count()) {
    x.clear();
    x.next = 0;
    x.end = topics_.bucket_count();
  }
  size_t done = 0;
  for (; x.next < x.end && done < work; ++x.next, ++done)
    for (auto i = topics_.begin(x.next); i != topics_.end(x.next); ++i) {
      ++done;
      auto& [name, at] = *i;
      if (x.wants(name))
        x.add({name, at.epoch, at.offset, 0, at.kept.size(),
               static_cast<uint64_t>(at.kept.cost())});
    }
  return x.next >= x.end;
}

} // namespace callboard
