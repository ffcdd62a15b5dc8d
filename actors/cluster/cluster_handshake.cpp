#include <callboard/actors/cluster/cluster_actor.hpp>

#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>

#include <callboard/actors/cluster/peer_frames.hpp>
#include <callboard/actors/string_hash.hpp>

// How links to other nodes begin and end.

namespace callboard {

namespace {

// For how long a run is kept away that did not take what it was sent.
constexpr int64_t blocked_ms = 60'000;

// For how long the same refusal is not logged again: who is refused tries again
// every few seconds.
constexpr int64_t refusal_logged_ms = 600'000;

// Refusals that are known for so long.
constexpr size_t refusals_max = 1024;

// A handle of an actor at another node dies with the connection; that of the
// next connection is another one, although both compare as equal.
bool same_handle(const caf::actor& x, const caf::actor& y) {
  return caf::actor_cast<caf::actor_control_block*>(x)
         == caf::actor_cast<caf::actor_control_block*>(y);
}

} // namespace

// -- dialing ------------------------------------------------------------------

void cluster_actor::add_seed(const std::string& address) {
  if (dials_.add_seed(address, cluster_seeds_max))
    first_round_.add(address);
}

void cluster_actor::look_at_first_round() {
  auto x = first_round_.look(now_ms());
  if (x == first_round::outcome::open)
    return;
  log_view(x == first_round::outcome::late ? cluster_news::join_late
                                           : cluster_news::ready);
  if (options_.ready)
    options_.ready();
}

void cluster_actor::dial_due() {
  auto now = now_ms();
  std::erase_if(blocked_, [now](auto& x) { return now >= x.second.until_ms; });
  std::erase_if(refusals_, [now](auto& x) { return now >= x.second; });
  // Who has left does not come back.
  if (membership_.left())
    return;
  auto is_linked = [this](const std::string& name) {
    auto* link = links_.find(std::string_view{name});
    return link != nullptr && link->complete();
  };
  for (auto& x : dials_.take_due(membership_.missing(), is_linked, now))
    dial(x);
}

void cluster_actor::dial(const std::string& address) {
  request(dialer_, cluster_dial_timeout, dial_atom_v, address)
    .then([=, this](const caf::actor& gate) { greet(address, gate); },
          [=, this](const caf::error& why) { dialed_in_vain(address, why); });
}

void cluster_actor::greet(const std::string& address, const caf::actor& gate) {
  if (!gate || gate.address() == this->address()) {
    // Where the name of a host stands for several addresses, the next attempt
    // may find another node.
    dials_.failed(address, now_ms());
    return nobody_at(address);
  }
  peer_hello hello{peer_protocol,      options_.version,
                   options_.name,      type_fingerprint(),
                   membership_.self(), caf::actor_cast<caf::actor>(this)};
  request(gate, cluster_dial_timeout, std::move(hello))
    .then([=, this](const peer_welcome& x) { take_welcome(address, gate, x); },
          [=, this](const caf::error& why) { dialed_in_vain(address, why); });
}

void cluster_actor::dialed_in_vain(const std::string& address,
                                   const caf::error& why) {
  metrics_.failed_dials->inc();
  member who;
  who.address = address;
  auto words = to_string(why);
  log(cluster_news::dial_failed, who, words);
  if (why == caf::sec::cannot_connect_to_node) {
    dials_.failed(address, now_ms());
    return nobody_at(address);
  }
  // Somebody is there, who may be a node that answers later.
  if (dials_.failed(address, now_ms(), words))
    log(cluster_news::no_link, who, std::move(words));
}

void cluster_actor::nobody_at(const std::string& address) {
  first_round_.found_nobody(address);
  look_at_first_round();
}

void cluster_actor::take_welcome(const std::string& address,
                                 const caf::actor& gate,
                                 const peer_welcome& x) {
  auto why = x.refused;
  if (why.empty())
    why = membership_.refusal(x.who, now_ms());
  if (why.empty() && blocked_.contains(x.who.name)
      && blocked_[x.who.name].incarnation == x.who.incarnation)
    why = "it did not take what it was sent";
  if (!why.empty() || x.link == 0) {
    dials_.failed(address, now_ms());
    return log_refusal(x.who, std::move(why));
  }
  dials_.found(address, x.who.name, now_ms());
  auto& link = open(x.who, gate);
  auto was_complete = link.complete();
  take_number(link, x.link);
  // The round may be one that the other end has not heard of.
  if (was_complete)
    send_heartbeat(link);
  follow();
}

// -- being dialed -------------------------------------------------------------

peer_welcome cluster_actor::take_hello(const peer_hello& x) {
  peer_welcome result{membership_.self(), options_.version, refusal(x), 0};
  if (result.refused.empty()) {
    // The link is complete when the other one has said its number.
    result.link = open(x.who, x.gate).mine;
    follow();
    return result;
  }
  metrics_.refused_hellos->inc();
  log_refusal(x.who, result.refused);
  return result;
}

std::string cluster_actor::refusal(const peer_hello& x) const {
  if (x.protocol != peer_protocol || x.types != type_fingerprint())
    return "nodes of version " + options_.version + " and " + x.version
           + " do not understand each other";
  if (x.cluster != options_.name)
    return "this is the cluster '" + options_.name + "', not '" + x.cluster
           + "'";
  if (!x.gate)
    return "a hello needs a gate";
  if (auto i = blocked_.find(x.who.name);
      i != blocked_.end() && i->second.incarnation == x.who.incarnation)
    return "it did not take what it was sent; a link may begin again a minute "
           "after that";
  if (links_.find(x.who) == nullptr
      && links_.size() >= 2 * options_.members_max)
    return "this node has as many links as it may";
  return membership_.refusal(x.who, now_ms());
}

void cluster_actor::log_refusal(const member& who, std::string why) {
  if (refusals_.size() >= refusals_max)
    refusals_.clear();
  auto& until_ms = refusals_[hash_of(who.name + '\n' + why)];
  if (now_ms() < until_ms)
    return;
  until_ms = now_ms() + refusal_logged_ms;
  log(cluster_news::refused, who, std::move(why));
}

// -- links --------------------------------------------------------------------

peer_link& cluster_actor::open(const member& who, const caf::actor& gate) {
  if (auto* x = links_.find(who)) {
    if (!same_handle(x->gate, gate)) {
      demonitor(x->gate);
      monitor(gate);
      x->gate = gate;
      links_.renew(*x);
      if (is_member(who))
        install_peers();
    }
    return *x;
  }
  close(who.name, "another run of the node has come");
  first_round_.found_node();
  monitor(gate);
  return links_.add(who, gate);
}

void cluster_actor::take_number(peer_link& x, uint64_t theirs) {
  auto begins = !x.complete();
  auto renewed = links_.take_number(x, theirs);
  if (begins) {
    log(cluster_news::link_up, x.who);
    membership_.linked(x.who, now_ms());
  } else if (renewed) {
    send_heartbeat(x);
  }
  if ((begins || renewed) && is_member(x.who))
    install_peers();
}

void cluster_actor::close(const std::string& name, std::string why) {
  auto* x = links_.find(name);
  if (x == nullptr)
    return;
  auto who = x->who;
  auto was_complete = x->complete();
  demonitor(x->gate);
  links_.remove(who.name);
  if (!was_complete)
    return;
  membership_.unlinked(who.name, now_ms());
  log(cluster_news::link_down, who, std::move(why));
}

void cluster_actor::down(const caf::down_msg& x) {
  if (auto* link = links_.find(x.source))
    return close(std::string{link->who.name}, "the connection is lost");
  unwatch(x.source);
}

void cluster_actor::block(const std::string& name, std::string why) {
  if (auto* x = links_.find(name)) {
    blocked_[name] = {x->who.incarnation, now_ms() + blocked_ms};
    metrics_.overflows->inc();
    close(name, std::move(why));
  }
}

} // namespace callboard
