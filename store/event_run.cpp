#include <callboard/store/event_run.hpp>

#include <caf/make_counted.hpp>

#include <zlib.h>

namespace callboard {

namespace {

constexpr char format_number = 1;

constexpr uint8_t json_flag = 1;
constexpr uint8_t no_echo_flag = 2;
constexpr uint8_t connection_flag = 4;
constexpr uint8_t group_flag = 8;
constexpr uint8_t all_flags = json_flag | no_echo_flag | connection_flag
                              | group_flag;

void put_number(std::string& out, uint64_t x) {
  while (x >= 0x80) {
    out += static_cast<char>(x | 0x80);
    x >>= 7;
  }
  out += static_cast<char>(x);
}

void put_text(std::string& out, std::string_view x) {
  put_number(out, x.size());
  out += x;
}

/// Takes what `put_number` and `put_text` have written off a text. Once
/// something is not there, nothing is.
class cursor {
public:
  explicit cursor(std::string_view bytes) : rest_{bytes} {
  }

  uint64_t number() {
    uint64_t result = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      auto x = static_cast<uint8_t>(byte());
      result |= static_cast<uint64_t>(x & 0x7F) << shift;
      if (x < 0x80)
        return result;
    }
    fail();
    return 0;
  }

  char byte() {
    if (rest_.empty()) {
      fail();
      return 0;
    }
    auto result = rest_.front();
    rest_.remove_prefix(1);
    return result;
  }

  std::string_view text() {
    auto n = number();
    if (n > rest_.size()) {
      fail();
      return {};
    }
    auto result = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return result;
  }

  [[nodiscard]] bool failed() const noexcept {
    return failed_;
  }

  [[nodiscard]] bool at_end() const noexcept {
    return rest_.empty() && !failed_;
  }

private:
  void fail() noexcept {
    failed_ = true;
    rest_ = {};
  }

  std::string_view rest_;
  bool failed_ = false;
};

publication_ptr read_event(cursor& in, const event_origin& origin,
                           uint64_t offset, bool same_opening) {
  auto x = caf::make_counted<publication>();
  x->topic = origin.topic;
  x->epoch = origin.epoch;
  x->offset = offset;
  x->timestamp = static_cast<int64_t>(in.number());
  auto flags = static_cast<uint8_t>(in.byte());
  if ((flags & no_echo_flag) != 0) {
    auto publisher = in.number();
    x->no_echo = same_opening;
    x->publisher = same_opening ? publisher : 0;
  }
  x->sender = in.text();
  x->id = in.text();
  x->trace = in.text();
  if ((flags & group_flag) != 0) {
    x->key = in.text();
    x->origin = in.text();
    x->attempts = static_cast<uint32_t>(in.number());
  }
  x->from_connection = (flags & connection_flag) != 0;
  if (x->from_connection && !same_opening)
    x->id.clear();
  auto encoding = (flags & json_flag) != 0 ? codec::json : codec::msgpack;
  x->payload = payload{payload_view{encoding, in.text()}};
  return (flags & ~all_flags) != 0 ? nullptr : x;
}

} // namespace

// -- event_run ----------------------------------------------------------------

void event_run::clear(uint64_t opening) {
  bytes_.clear();
  bytes_ += format_number;
  put_number(bytes_, opening);
  count_ = 0;
}

void event_run::add(const publication& x) {
  auto json = x.payload.encoding() == codec::json;
  auto flags = (json ? json_flag : 0) | (x.no_echo ? no_echo_flag : 0)
               | (x.from_connection ? connection_flag : 0);
  auto for_groups = !x.key.empty() || !x.origin.empty() || x.attempts > 0;
  flags |= for_groups ? group_flag : 0;
  put_number(bytes_, static_cast<uint64_t>(x.timestamp));
  bytes_ += static_cast<char>(flags);
  if (x.no_echo)
    put_number(bytes_, x.publisher);
  put_text(bytes_, x.sender);
  put_text(bytes_, x.id);
  put_text(bytes_, x.trace);
  if (for_groups) {
    put_text(bytes_, x.key);
    put_text(bytes_, x.origin);
    put_number(bytes_, x.attempts);
  }
  put_text(bytes_, x.payload.bytes().view());
  last_ = x.offset;
  ++count_;
}

// -- reading ------------------------------------------------------------------

bool read_run(std::string_view bytes, const event_origin& origin,
              uint64_t first, uint64_t last,
              std::vector<publication_ptr>& out) {
  cursor in{bytes};
  if (in.byte() != format_number || first == 0 || first > last)
    return false;
  auto same_opening = in.number() == origin.opening;
  for (auto offset = first; !in.failed(); ++offset) {
    auto x = read_event(in, origin, offset, same_opening);
    if (x == nullptr)
      return false;
    out.push_back(std::move(x));
    if (offset == last)
      return in.at_end();
  }
  return false;
}

uint32_t check_sum(std::string_view bytes) noexcept {
  auto* begin = reinterpret_cast<const Bytef*>(bytes.data());
  return static_cast<uint32_t>(
    crc32_z(crc32(0, nullptr, 0), begin, bytes.size()));
}

std::string write_ids(const std::vector<stored_id>& ids) {
  std::string out;
  for (auto& x : ids) {
    put_text(out, x.key);
    put_number(out, x.offset);
    put_number(out, static_cast<uint64_t>(x.until_ms));
  }
  return out;
}

bool read_ids(std::string_view bytes, std::vector<stored_id>& out) {
  cursor in{bytes};
  while (!in.at_end() && !in.failed()) {
    stored_id x;
    x.key = in.text();
    x.offset = in.number();
    x.until_ms = static_cast<int64_t>(in.number());
    out.push_back(std::move(x));
  }
  return !in.failed();
}

std::string write_open_events(const group_place& x) {
  std::string out;
  put_number(out, x.reach - x.place);
  auto before = x.place;
  for (auto& y : x.open) {
    put_number(out, y.offset - before);
    put_number(out, y.attempts);
    before = y.offset;
  }
  return out;
}

bool read_open_events(std::string_view bytes, group_place& x) {
  cursor in{bytes};
  x.reach = x.place + in.number();
  auto before = x.place;
  while (!in.at_end() && !in.failed()) {
    group_place::open_event y;
    y.offset = before + in.number();
    y.attempts = static_cast<uint32_t>(in.number());
    if (y.offset <= before || y.offset > x.reach)
      return false;
    before = y.offset;
    x.open.push_back(y);
  }
  return !in.failed() && x.reach >= x.place;
}

} // namespace callboard
