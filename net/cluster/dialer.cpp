#include <callboard/net/cluster/dialer.hpp>

#include <algorithm>
#include <set>
#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/sec.hpp>

#include <callboard/net/url.hpp>

namespace callboard::net {

namespace {

constexpr auto silence_remembered = std::chrono::minutes{1};

caf::error cannot_dial(std::string sentence) {
  return caf::make_error(caf::sec::cannot_connect_to_node, std::move(sentence));
}

} // namespace

cluster_dialer::cluster_dialer(caf::actor_config& cfg,
                               caf::execution_unit* loop, setup x)
  : super{cfg, loop},
    setup_{std::move(x)},
    random_{static_cast<std::minstd_rand::result_type>(setup_.random_seed)} {
}

caf::behavior cluster_dialer::make_behavior() {
  return {
    [this](dial_atom, const std::string& address) { return dial(address); },
  };
}

void cluster_dialer::on_exit() {
  setup_ = {};
}

template <class... Ts, class F>
std::function<void(Ts...)> cluster_dialer::back(F f) {
  return
    [this, keep = caf::strong_actor_ptr{ctrl()}, f = std::move(f)](Ts... xs) {
      static_cast<void>(enter([&] { f(std::move(xs)...); }));
    };
}

caf::result<caf::actor> cluster_dialer::dial(const std::string& address) {
  auto place = parse_host_and_port(address);
  if (!place || place->port == 0)
    return cannot_dial('\'' + address + "' is no HOST:PORT");
  if (dials_ >= dials_max)
    return caf::make_error(errc::overloaded);
  ++dials_;
  auto x = std::make_shared<attempt>();
  x->answer = make_response_promise<caf::actor>();
  x->address = address;
  x->port = place->port;
  x->wrong = "nobody knows this name";
  setup_.network->resolve(place->host,
                          back<std::vector<std::string>>(
                            [this, x](std::vector<std::string> ips) {
                              std::ranges::shuffle(ips, random_);
                              ips.resize(std::min(ips.size(), addresses_max));
                              x->ips = std::move(ips);
                              go_on(x);
                            }));
  return x->answer;
}

void cluster_dialer::go_on(const attempt_ptr& x) {
  if (x->next == x->ips.size())
    return fail(x);
  auto ip = x->ips[x->next++];
  // Known only now where a name stands in place of the address.
  if (auto wrong = check_cluster_reach(setup_.settings, ip); !wrong.empty()) {
    x->wrong = std::move(wrong);
    return go_on(x);
  }
  setup_.network->probe(ip, x->port, back<bool>([this, x, ip](bool listens) {
                          if (listens)
                            return connect(x, ip);
                          x->wrong = "nobody listens at " + ip;
                          go_on(x);
                        }));
}

void cluster_dialer::connect(const attempt_ptr& x, const std::string& ip) {
  request(setup_.transport, setup_.timeout, caf::connect_atom_v, ip, x->port)
    .then(
      [this, x](const caf::node_id& node, const caf::strong_actor_ptr& found,
                const std::set<std::string>&) {
        if (found != nullptr && node != system().node())
          return test(x, node, caf::actor_cast<caf::actor>(found));
        x->wrong = found == nullptr ? "no node is there" : "it is this node";
        go_on(x);
      },
      [this, x, ip](const caf::error& why) {
        x->taken = true;
        if (why == caf::sec::request_timeout)
          setup_.give_up(ip, x->port);
        x->wrong = ip
                   + (setup_.settings.encrypted()
                        ? " is no node of a cluster, or one of us has no "
                          "certificate that the other one takes ("
                        : " is no node of a cluster, or speaks TLS (")
                   + to_string(why) + ')';
        go_on(x);
      });
}

void cluster_dialer::test(const attempt_ptr& x, const caf::node_id& node,
                          const caf::actor& found) {
  request(found, setup_.timeout, lookup_atom_v)
    .then(
      [this, x, node, found](const cluster_facts&) {
        silent_.erase(node);
        --dials_;
        x->answer.deliver(found);
      },
      [this, x, node](const caf::error& why) {
        x->taken = true;
        // A connection that has ended by itself needs no more.
        if (why == caf::sec::request_timeout)
          note_silence(node);
        x->wrong = "it does not answer (" + to_string(why) + ')';
        go_on(x);
      });
}

void cluster_dialer::note_silence(const caf::node_id& node) {
  auto now = clock().now();
  // Of later ones it is not known what was in between.
  std::erase_if(silent_, [now](const auto& y) {
    return now - y.second.last > silence_remembered;
  });
  auto& since = silent_.try_emplace(node, silence{now, now}).first->second;
  since.last = now;
  if (now - since.first < setup_.settings.timeout)
    return;
  silent_.erase(node);
  setup_.hang_up(node);
}

void cluster_dialer::fail(const attempt_ptr& x) {
  --dials_;
  x->answer.deliver(caf::make_error(
    x->taken ? caf::sec::disconnect_during_handshake
             : caf::sec::cannot_connect_to_node,
    "cannot reach the node at " + x->address + ": " + x->wrong));
}

} // namespace callboard::net
