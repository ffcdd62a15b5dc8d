#include <callboard/net/client_calls.hpp>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include <callboard/messages/errc.hpp>
#include <callboard/messages/frame_writer.hpp>

namespace callboard::net {

namespace {

// Any one value, as its bytes.
struct any_value {
  payload bytes;

  void msgpack_unpack(const msgpack::object& x) {
    bytes = payload::pack(x);
  }
};

struct asked_topic {
  std::string topic;
  MSGPACK_DEFINE_MAP(topic)
};

struct asked_since {
  std::string epoch;
  uint64_t offset = 0;
  MSGPACK_DEFINE_MAP(epoch, offset)
};

// Fields that are nil count as left out.
struct asked_history {
  std::string topic;
  std::optional<asked_since> since;
  std::optional<uint64_t> before;
  uint32_t limit = 100;
  bool reverse = false;
  MSGPACK_DEFINE_MAP(topic, since, before, limit, reverse)
};

struct asked_presence {
  std::string topic;
  uint32_t limit = 100;
  std::optional<std::string> after;
  MSGPACK_DEFINE_MAP(topic, limit, after)
};

struct told_position {
  std::string epoch;
  uint64_t offset = 0;
  MSGPACK_DEFINE_MAP(epoch, offset)
};

struct told_event {
  uint64_t offset = 0;
  int64_t timestamp = 0;
  std::string sender;
  any_value payload;
  std::string key;
  std::string origin;
  uint64_t attempt = 0;
  MSGPACK_DEFINE_MAP(offset, timestamp, sender, payload, key, origin, attempt)
};

struct told_history {
  std::string epoch;
  uint64_t offset = 0;
  bool more = false;
  std::vector<told_event> events;
  MSGPACK_DEFINE_MAP(epoch, offset, more, events)
};

struct told_member {
  std::optional<std::string> user;
  std::vector<std::string> connections;
  MSGPACK_DEFINE_MAP(user, connections)
};

struct told_presence {
  std::vector<told_member> members;
  std::optional<std::string> next;
  MSGPACK_DEFINE_MAP(members, next)
};

struct told_count {
  uint64_t members = 0;
  uint64_t connections = 0;
  MSGPACK_DEFINE_MAP(members, connections)
};

// Reads an answer as a `Told` and hands on what `make` makes of it.
template <class Told, class T, class Make>
result_handler<payload> reading(result_handler<T> done, Make make) {
  return [done = std::move(done),
          make = std::move(make)](caf::expected<payload> x) {
    if (!done)
      return;
    if (!x)
      return done(std::move(x.error()));
    auto told = x->template get_as<Told>();
    if (!told)
      return done(caf::make_error(errc::bad_payload,
                                  std::string{"the server's answer has another "
                                              "shape than expected"}));
    done(make(std::move(*told)));
  };
}

uint32_t bounded_attempt(uint64_t x) {
  return static_cast<uint32_t>(
    std::min<uint64_t>(x, std::numeric_limits<uint32_t>::max()));
}

position read_told(told_position&& x) {
  return {std::move(x.epoch), x.offset};
}

event to_event(const std::string& topic, told_event&& x) {
  event result;
  result.topic = topic;
  result.offset = x.offset;
  result.timestamp = x.timestamp;
  result.sender = std::move(x.sender);
  result.payload = std::move(x.payload.bytes);
  result.key = std::move(x.key);
  result.origin = std::move(x.origin);
  result.attempt = bounded_attempt(x.attempt);
  return result;
}

// Reading twice changes nothing.
request_options reading_options() {
  return {.idempotent = true};
}

} // namespace

event owned_event(const event_view& x) {
  event result;
  result.topic = x.topic;
  result.pattern = x.pattern;
  result.epoch = x.epoch;
  result.offset = x.offset;
  result.sender = x.sender;
  result.timestamp = x.timestamp;
  result.payload = payload{x.body};
  result.retained = x.retained;
  result.key = x.key;
  result.attempt = bounded_attempt(x.attempt);
  result.origin = x.origin;
  return result;
}

void ask_history(const asking_function& ask, std::string topic,
                 history_options options, result_handler<history_page> done) {
  asked_history x{topic, std::nullopt, std::nullopt, options.limit,
                  options.reverse};
  if (!options.since.epoch.empty())
    x.since = {std::move(options.since.epoch), options.since.offset};
  if (options.before > 0)
    x.before = options.before;
  auto make = [topic = std::move(topic)](told_history&& told) {
    history_page result;
    result.head = {std::move(told.epoch), told.offset};
    result.more = told.more;
    for (auto& y : told.events)
      result.events.push_back(to_event(topic, std::move(y)));
    return result;
  };
  ask("callboard.history", payload::pack(x), reading_options(),
      reading<told_history>(std::move(done), std::move(make)));
}

void ask_position(const asking_function& ask, std::string topic,
                  result_handler<position> done) {
  ask("callboard.position", payload::pack(asked_topic{std::move(topic)}),
      reading_options(), reading<told_position>(std::move(done), read_told));
}

void ask_presence(const asking_function& ask, std::string topic, uint32_t limit,
                  std::string after, result_handler<member_page> done) {
  asked_presence x{std::move(topic), limit, std::nullopt};
  if (!after.empty())
    x.after = std::move(after);
  auto make = [](told_presence&& told) {
    member_page result;
    for (auto& y : told.members)
      result.members.push_back(
        {std::move(y.user).value_or(""), std::move(y.connections)});
    result.next = std::move(told.next).value_or("");
    return result;
  };
  ask("callboard.presence", payload::pack(x), reading_options(),
      reading<told_presence>(std::move(done), make));
}

void ask_presence_count(const asking_function& ask, std::string topic,
                        result_handler<presence_count> done) {
  auto make = [](told_count&& x) {
    return presence_count{x.members, x.connections};
  };
  ask("callboard.presence_count", payload::pack(asked_topic{std::move(topic)}),
      reading_options(), reading<told_count>(std::move(done), make));
}

void ask_push(const asking_function& ask, std::string user, payload x,
              std::string id, result_handler<position> done) {
  // What is pushed stands in the question as it is.
  byte_buffer question;
  msgpack::packer pack{question};
  pack.pack_map(2);
  pack.pack("user").pack(user);
  pack.pack("payload");
  if (!transcode(codec::msgpack, x.view(), question)) {
    if (done)
      done(caf::make_error(errc::bad_payload,
                           std::string{"what is pushed is not one value"}));
    return;
  }
  request_options options{.idempotent = !id.empty(), .id = std::move(id)};
  ask("callboard.push", payload{payload_view{codec::msgpack, question.view()}},
      std::move(options), reading<told_position>(std::move(done), read_told));
}

} // namespace callboard::net
