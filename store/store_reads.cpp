#include <callboard/store/store_reads.hpp>

#include <algorithm>

namespace callboard {

void fail_corrupt(const database& db, const std::string& what) {
  throw store_error{store_trouble::corrupt, db.file() + ": " + what};
}

void read_row(const database& db, const statement& row,
              const event_origin& origin, std::vector<publication_ptr>& out) {
  auto first = static_cast<uint64_t>(row.number(0));
  auto last = static_cast<uint64_t>(row.number(1));
  auto data = row.bytes(3);
  if (static_cast<uint32_t>(row.number(2)) != check_sum(data)
      || !read_run(data, origin, first, last, out))
    fail_corrupt(db, "the events of topic '" + std::string{origin.topic}
                       + "' up to offset " + std::to_string(last)
                       + " are damaged");
}

namespace {

constexpr char select_forwards[]
  = "SELECT first, last, check_sum, data FROM runs "
    "WHERE topic = ? AND last >= ? ORDER BY last";

// Begins at the row that holds the last offset that is wanted; those behind it
// are many where somebody pages backwards.
constexpr char select_backwards[]
  = "SELECT first, last, check_sum, data FROM runs WHERE topic = ?1 AND last "
    "<= "
    "ifnull((SELECT last FROM runs WHERE topic = ?1 AND last >= ?2 "
    "ORDER BY last LIMIT 1), ?2) ORDER BY last DESC";

/// Collects what a query wants, from one end to the other.
class collector {
public:
  explicit collector(const store_query& what)
    : what_{what}, bytes_left_{what.bytes_max} {
  }

  /// @returns false if nothing more is wanted.
  bool add(publication_ptr x) {
    if (x->offset < what_.first)
      return !what_.newest;
    if (x->offset > what_.last)
      return what_.newest;
    if (x->timestamp <= what_.after_ms) {
      // Forwards, those are in front; backwards, all others have come.
      return !what_.newest && found_.empty();
    }
    if (found_.size() >= what_.events_max
        || (bytes_left_ <= 0 && !found_.empty()))
      return false;
    bytes_left_ -= x->cost();
    found_.push_back(std::move(x));
    return true;
  }

  std::vector<publication_ptr> take() {
    if (what_.newest)
      std::ranges::reverse(found_);
    return std::move(found_);
  }

private:
  const store_query& what_;
  int64_t bytes_left_;
  std::vector<publication_ptr> found_;
};

} // namespace

std::vector<publication_ptr> read_events(database& db, const store_query& what,
                                         uint64_t opening) {
  auto topic = db.prepare("SELECT id FROM topics WHERE name = ? AND epoch = ?");
  topic.with(what.topic, what.epoch);
  collector found{what};
  if (!topic.step())
    return found.take();
  auto rows = db.prepare(what.newest ? select_backwards : select_forwards);
  rows.with(topic.number(0), what.newest ? what.last : what.first);
  event_origin origin{what.topic, what.epoch, opening};
  std::vector<publication_ptr> events;
  for (uint64_t edge = 0; rows.step();) {
    auto first = static_cast<uint64_t>(rows.number(0));
    auto last = static_cast<uint64_t>(rows.number(1));
    if (edge != 0 && (what.newest ? last : first) != edge)
      fail_corrupt(db, "there is a gap in topic '" + what.topic + '\'');
    edge = what.newest ? first - 1 : last + 1;
    events.clear();
    read_row(db, rows, origin, events);
    if (what.newest)
      std::ranges::reverse(events);
    for (auto& x : events)
      if (!found.add(std::move(x)))
        return found.take();
  }
  return found.take();
}

} // namespace callboard
