// What goes from node to node: publications in the batches of a loop beside one
// CAF message each, over one link of CAF's remoting on loopback.
//
//   bench_link [PUBLICATIONS [ROUNDS]]
//
// Both nodes are in this process, each an actor system. In each round both ways
// are measured, one after the other, and the next round begins with the other
// one. Printed are medians, and the ratio.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/init_global_meta_objects.hpp>
#include <caf/io/middleman.hpp>
#include <caf/make_counted.hpp>
#include <caf/send.hpp>

#include <callboard/actors/cluster/loop_peers.hpp>
#include <callboard/actors/cluster/peer_topic_frames.hpp>
#include <callboard/actors/type_ids.hpp>
#include <callboard/net/client_init.hpp>

namespace {

using namespace callboard;
using clock_type = std::chrono::steady_clock;

constexpr size_t payload_bytes = 128;
constexpr uint64_t topics = 1000;
// On their way at once.
constexpr uint64_t window = 50'000;
// What a loop has for another node within a turn under load.
constexpr uint64_t turn = 256;

std::atomic<uint64_t> arrived = 0;

struct config : caf::actor_system_config {
  config() {
    load<caf::io::middleman>();
    set("caf.scheduler.max-threads", 1u);
  }
};

// Takes publications either way, and makes of each what a shard would get.
caf::behavior sink() {
  return {
    [](const event& x) {
      arrived.fetch_add(x.payload.empty() ? 0 : 1, std::memory_order_release);
    },
    [](const peer_batch& x) {
      frame_source source{x.frames};
      peer_frame number;
      uint64_t n = 0;
      peer_event frame;
      while (source.next(number) && number == peer_frame::event
             && source.read(frame))
        ++n;
      arrived.fetch_add(n, std::memory_order_release);
    },
  };
}

// Calls `send(i)` and, after each turn, `flush()`; returns publications a
// second.
template <class Send, class Flush>
double measure(uint64_t n, Send send, Flush flush) {
  arrived = 0;
  auto begin = clock_type::now();
  for (uint64_t i = 0; i < n; ++i) {
    send(i);
    if ((i + 1) % turn != 0)
      continue;
    flush();
    while (i + 1 - arrived.load(std::memory_order_acquire) > window)
      std::this_thread::yield();
  }
  flush();
  while (arrived.load(std::memory_order_acquire) < n)
    std::this_thread::yield();
  std::chrono::duration<double> took = clock_type::now() - begin;
  return static_cast<double>(n) / took.count();
}

double median(std::vector<double> xs) {
  std::ranges::sort(xs);
  return xs[xs.size() / 2];
}

} // namespace

int main(int argc, char** argv) {
  auto n = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 300'000;
  auto rounds = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 7;
  if (n == 0 || rounds == 0) {
    std::fputs("usage: bench_link [PUBLICATIONS [ROUNDS]]\n", stderr);
    return 2;
  }
  net::init_client();
  caf::io::middleman::init_global_meta_objects();
  caf::core::init_global_meta_objects();
  config here_config;
  config there_config;
  caf::actor_system here{here_config};
  caf::actor_system there{there_config};
  auto taker = there.spawn(sink);
  auto port = there.middleman().publish(taker, 0, "127.0.0.1");
  auto remote = port ? here.middleman().remote_actor("127.0.0.1", *port)
                     : caf::expected<caf::actor>{port.error()};
  if (!remote) {
    std::fprintf(stderr, "bench_link: no link: %s\n",
                 to_string(remote.error()).c_str());
    return 1;
  }
  std::vector<publication_ptr> publications;
  std::vector<event> events;
  for (uint64_t i = 0; i < topics; ++i) {
    auto x = caf::make_counted<publication>();
    x->topic = "rooms/" + std::to_string(i);
    x->payload = payload::pack(std::string(payload_bytes, 'x'));
    x->sender = "somebody";
    x->epoch = "epoch.1";
    x->offset = i + 1;
    events.push_back(to_event(*x));
    publications.push_back(std::move(x));
  }
  auto nodes = caf::make_counted<peer_set>();
  nodes->number = 1;
  nodes->slots.push_back(
    peer_node{member{"there", "1", {}, 1, member_state::up}, *remote, 0,
              std::make_shared<link_traffic>()});
  loop_peers peers;
  peers.install(nodes);
  auto single = [&] {
    return measure(
      n, [&](uint64_t i) { caf::anon_send(*remote, events[i % topics]); },
      [] {});
  };
  auto batched = [&] {
    return measure(
      n,
      [&](uint64_t i) {
        auto& x = publications[i % topics];
        peers.send(shard_kind::broker, 0, x->topic, peer_event{{x, 0}});
      },
      [&] { peers.flush(); });
  };
  std::vector<double> singles;
  std::vector<double> batches;
  for (uint64_t i = 0; i < rounds; ++i) {
    if (i % 2 == 0)
      singles.push_back(single());
    batches.push_back(batched());
    if (i % 2 != 0)
      singles.push_back(single());
  }
  std::printf("single messages %.3f M/s\nbatches         %.3f M/s\n"
              "ratio           %.2f\n",
              median(singles) / 1e6, median(batches) / 1e6,
              median(batches) / median(singles));
  peers.install(caf::make_counted<peer_set>());
  caf::anon_send_exit(taker, caf::exit_reason::kill);
}
