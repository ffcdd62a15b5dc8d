#include "support/node_fixture.hpp"

#include <algorithm>
#include <array>

#include <callboard/actors/broker.hpp>
#include <callboard/actors/heartbeat_monitor.hpp>
#include <callboard/actors/pool_manager.hpp>
#include <callboard/actors/router.hpp>
#include <callboard/messages/frame_writer.hpp>

namespace callboard {

void plain_framing::append(wire_form form, const frame_view& x,
                           byte_buffer& out) {
  write_frame(codec_of(form), x, out);
}

// -- socket -------------------------------------------------------------------

void fake_socket::flush(outbox&) {
  ++flushes;
  std::array<std::string_view, 4> views;
  while (!stuck) {
    auto n = box->gather(views);
    if (n == 0)
      return;
    size_t bytes = 0;
    for (size_t i = 0; i < n; ++i) {
      if (!deaf)
        received += views[i];
      bytes += views[i].size();
    }
    box->consume(bytes);
  }
}

size_t fake_socket::send(std::string_view bytes) {
  ++flushes;
  if (stuck)
    return 0;
  if (!deaf)
    received += bytes;
  return bytes.size();
}

void fake_socket::close(uint16_t code, std::string_view reason) {
  flush(*box);
  if (close_code != 0)
    return;
  close_code = code;
  close_reason = reason;
}

// -- frame --------------------------------------------------------------------

frame::frame(const frame_view& x)
  : type{x.type},
    seq_id{x.seq_id},
    timestamp{x.timestamp},
    subject{x.subject},
    content{x.payload},
    meta{x.meta},
    epoch{x.meta.epoch},
    sender{x.meta.sender},
    pattern{x.meta.pattern},
    trace{x.meta.trace},
    group{x.meta.group},
    key{x.meta.key},
    origin{x.meta.origin} {
  meta.epoch = meta.sender = meta.pattern = meta.trace = meta.id = {};
  meta.group = meta.key = meta.origin = {};
  meta.since = {};
}

std::string frame::words() const {
  std::string result{to_string(type)};
  if (seq_id != 0)
    result += ' ' + std::to_string(seq_id);
  if (!subject.empty())
    result += ' ' + subject;
  if (meta.has(meta_key::offset))
    result += " @" + std::to_string(meta.offset);
  if (meta.has(meta_key::pattern))
    result += " by " + pattern;
  if (meta.has(meta_key::retained))
    result += " retained";
  if (meta.has(meta_key::group))
    result += " of " + group;
  if (meta.has(meta_key::key))
    result += " key " + key;
  if (meta.has(meta_key::attempt))
    result += " attempt " + std::to_string(meta.attempt);
  if (meta.has(meta_key::origin))
    result += " from " + origin;
  if (type == frame_type::error) {
    auto code = errc::none;
    if (!from_string(subject, code) || wire_number(code) != meta.code
        || info(code).temporary != meta.temporary)
      result += " code=" + std::to_string(meta.code);
  } else if (!content.empty() && content.view().bytes != "\xC0") {
    result += ' ' + content.to_json();
  }
  return result;
}

// -- client -------------------------------------------------------------------

client::client(caf::actor_system& sys, loop_context& loop,
               connection_setup setup, wire_form form)
  : ctx{loop},
    box{new outbox{loop.outboxes, form, loop.node.options.outbox_bytes_max}},
    socket{box} {
  box->set_transport(&socket);
  handle = spawn_hosted<connection>(sys, loop.unit, loop, box,
                                    std::move(setup));
  actor
    = static_cast<connection*>(caf::actor_cast<caf::abstract_actor*>(handle));
}

void client::say_bytes(std::string_view bytes) {
  actor->enter([&] { actor->receive(bytes); });
}

void client::say(const frame_view& x) {
  say_bytes(encode(x));
}

void client::say(frame_type type, uint32_t seq_id, std::string_view subject,
                 const payload& content) {
  frame_view x;
  x.type = type;
  x.seq_id = seq_id;
  x.subject = subject;
  x.payload = content.view();
  say(x);
}

void client::publish(std::string_view topic, std::string_view body,
                     uint32_t seq_id, bool no_echo, std::string_view id) {
  auto content = text(std::string{body});
  frame_view x;
  x.type = frame_type::publish;
  x.seq_id = seq_id;
  x.subject = topic;
  x.payload = content.view();
  if (no_echo) {
    x.meta.mark(meta_key::no_echo);
    x.meta.no_echo = true;
  }
  if (!id.empty()) {
    x.meta.mark(meta_key::id);
    x.meta.id = id;
  }
  say(x);
}

std::string client::encode(const frame_view& x) const {
  byte_buffer out;
  write_frame(codec_of(box->form()), x, out);
  return std::string{out.view()};
}

std::vector<frame> client::take() {
  std::vector<frame> result;
  auto bytes = std::move(socket.received);
  socket.received.clear();
  // In JSON the frames of several messages may follow one another as well.
  frame_reader reader{codec_of(box->form())};
  reader.reset(bytes);
  frame_view x;
  for (;;) {
    auto status = reader.next(x);
    if (status == read_status::end)
      return result;
    if (status != read_status::frame)
      CAF_FAIL("the connection wrote what is no frame: " << reader.reason());
    result.emplace_back(x);
  }
}

std::string client::heard() {
  std::string result;
  for (auto& x : take()) {
    if (!result.empty())
      result += "; ";
    result += x.words();
  }
  return result;
}

bool client::alive() const noexcept {
  return actor->state() < connection_state::disconnecting;
}

// -- node_fixture -------------------------------------------------------------

node_fixture::node_fixture() {
  using namespace std::chrono;
  auto& now = sched.clock().current_time;
  now = ceil<milliseconds>(now);
  node.name = "n";
  node.incarnation = "run";
}

node_fixture::~node_fixture() {
  // Timers that are armed again and again would keep the teardown from ending.
  for (auto& x : clients)
    caf::anon_send_exit(x->handle, caf::exit_reason::kill);
  sched.run();
  for (auto& ctx : loops) {
    for (auto& x : ctx->brokers)
      if (x)
        caf::anon_send_exit(x.actor, caf::exit_reason::kill);
    for (auto& x : ctx->routers)
      if (x)
        caf::anon_send_exit(x.actor, caf::exit_reason::kill);
    if (ctx->heartbeats)
      caf::anon_send_exit(ctx->heartbeats, caf::exit_reason::kill);
  }
  if (pool)
    caf::anon_send_exit(pool, caf::exit_reason::kill);
  sched.run();
}

void node_fixture::start(uint32_t n) {
  start_bare(n);
  for (uint32_t i = 0; i < n; ++i) {
    install(i, make_broker(i));
    install(i, make_router(i));
    install(i, make_heartbeat_monitor(i));
  }
  turn();
  // Routers took the first ones: topics' epochs are `run.1` and so on.
  node.next_epoch = 1;
}

void node_fixture::start_bare(uint32_t n) {
  node.loops = n;
  pool = spawn_hosted<pool_manager>(sys, nullptr, node);
  for (uint32_t i = 0; i < n; ++i) {
    auto metrics = make_loop_metrics(sys.metrics(), i);
    auto& ctx = *loops.emplace_back(
      std::make_unique<loop_context>(node, i, wire, metrics));
    ctx.brokers.resize(n);
    ctx.routers.resize(n);
    ctx.pool = pool;
  }
}

client& node_fixture::open(uint32_t loop, std::string user,
                           bool must_authenticate, wire_form form) {
  connection_setup setup;
  setup.id = node.next_connection++;
  setup.who.user = std::move(user);
  setup.must_authenticate = must_authenticate;
  setup.address = "192.0.2.1";
  auto& x = *clients.emplace_back(
    std::make_unique<client>(sys, *loops[loop], std::move(setup), form));
  sched.run();
  x.actor->enter([&x] { x.actor->open(); });
  turn();
  return x;
}

client& node_fixture::connect(uint32_t loop, std::string user) {
  // A user's own topic does not count: tests name epochs by their number.
  auto epoch = node.next_epoch.load();
  auto& x = open(loop, std::move(user));
  node.next_epoch = epoch;
  auto frames = x.take();
  CAF_REQUIRE_EQUAL(frames.size(), 1u);
  CAF_REQUIRE(frames[0].type == frame_type::welcome);
  return x;
}

void node_fixture::turn() {
  auto busy = [](auto& ctx) { return ctx->busy(); };
  do
    step();
  while (sched.has_job() || std::ranges::any_of(loops, busy));
}

void node_fixture::step() {
  for (auto& ctx : loops) {
    ctx->steady_ms = now_ms();
    ctx->unix_ms = 1'700'000'000'000 + now_ms();
  }
  sched.run();
  for (auto& ctx : loops) {
    ctx->flush();
    ctx->publish_counts();
  }
}

void node_fixture::pass(caf::timespan x) {
  auto& clock = sched.clock();
  auto end = clock.now() + x;
  while (!clock.schedule.empty() && clock.schedule.begin()->first <= end) {
    auto next = std::max(clock.schedule.begin()->first, clock.now());
    clock.advance_time(next - clock.now());
    turn();
  }
  clock.advance_time(end - clock.now());
  turn();
}

int64_t node_fixture::now_ms() const {
  using namespace std::chrono;
  auto now = sched.clock().now();
  return floor<milliseconds>(now.time_since_epoch()).count();
}

// -- shard_host ---------------------------------------------------------------

broker_ref node_fixture::make_broker(uint32_t index) {
  auto waiting = std::make_shared<mailbox_bytes>();
  return {spawn_hosted<broker>(sys, nullptr, *loops[index], waiting), waiting};
}

router_ref node_fixture::make_router(uint32_t index) {
  auto waiting = std::make_shared<mailbox_bytes>();
  return {spawn_hosted<router>(sys, nullptr, *loops[index], waiting), waiting};
}

heartbeat_actor node_fixture::make_heartbeat_monitor(uint32_t index) {
  return spawn_hosted<heartbeat_monitor>(sys, nullptr, *loops[index]);
}

void node_fixture::install(uint32_t index, const broker_ref& shard) {
  for (auto& ctx : loops)
    install_on(*ctx, index, shard);
}

void node_fixture::install_on(loop_context& ctx, uint32_t index,
                              const broker_ref& shard) {
  auto replaces = static_cast<bool>(ctx.brokers[index]);
  ctx.brokers[index] = shard;
  if (!replaces)
    return;
  shard_replaced(ctx, index);
  for (auto& x : clients)
    if (&x->ctx == &ctx && x->alive())
      x->actor->enter([&] { x->actor->broker_replaced(index); });
}

void node_fixture::install(uint32_t index, const router_ref& shard) {
  for (auto& ctx : loops) {
    auto replaces = static_cast<bool>(ctx->routers[index]);
    ctx->routers[index] = shard;
    if (!replaces)
      continue;
    for (auto& x : clients)
      if (&x->ctx == ctx.get() && x->alive())
        x->actor->enter([&] { x->actor->router_replaced(index); });
  }
}

void node_fixture::install(uint32_t index, const heartbeat_actor& monitor) {
  loops[index]->heartbeats = monitor;
}

void node_fixture::log_restart(const char* what, uint32_t index,
                               const caf::error&) {
  restarts.push_back(std::string{what} + ' ' + std::to_string(index));
}

// -- helpers ------------------------------------------------------------------

std::string name_on(uint32_t shard, uint32_t shards,
                    const std::string& prefix) {
  for (uint32_t i = 0;; ++i) {
    auto name = prefix + std::to_string(i);
    if (shard_of(name, shards) == shard)
      return name;
  }
}

payload text(const std::string& x) {
  return payload::pack(x);
}

std::string text_of(const payload& x) {
  return x.get_as<std::string>().value_or("not a string");
}

std::string words_of(const caf::error& x) {
  if (x.category() == caf::type_id_v<errc>)
    return to_string(errc_of(x));
  return to_string(x);
}

} // namespace callboard
