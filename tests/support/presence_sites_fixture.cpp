#include "support/presence_sites_fixture.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <caf/make_counted.hpp>
#include <caf/send.hpp>

#include <callboard/actors/type_ids.hpp>

namespace callboard {

presence_sites_fixture::presence_sites_fixture() {
  rules.push_back({"none/+", {}});
  rules.push_back({"#", {.presence = true}});
}

void presence_sites_fixture::pass(caf::timespan x) {
  // News between nodes do not wait for all of it.
  constexpr caf::timespan slice = std::chrono::milliseconds{50};
  for (settle(); x.count() > 0; x -= slice) {
    for (auto& site : sites)
      site.node.pass(std::min(slice, x));
    settle();
  }
}

std::string presence_sites_fixture::watch(client& x, const std::string& topic,
                                          uint32_t seq_id) {
  frame_view y;
  y.type = frame_type::subscribe;
  y.seq_id = seq_id;
  y.subject = topic;
  y.meta.mark(meta_key::presence);
  y.meta.presence = true;
  x.say(y);
  settle();
  return x.heard();
}

client& presence_sites_fixture::watcher(size_t site, uint32_t loop,
                                        const std::string& topic,
                                        std::string user) {
  auto& result = connect(site, loop, std::move(user));
  watch(result, topic);
  pass(std::chrono::seconds{1});
  result.heard();
  return result;
}

std::string presence_sites_fixture::ask(client& x, const std::string& action,
                                        const std::string& json) {
  return say(x, frame_type::request, 9, action, *payload::from_json(json));
}

std::string presence_sites_fixture::members(client& x,
                                            const std::string& topic) {
  auto told = ask(x, "callboard.presence", "{\"topic\":\"" + topic + "\"}");
  std::string_view good = "response 9 {\"members\":";
  return told.starts_with(good)
           ? told.substr(good.size(), told.size() - good.size() - 1)
           : told;
}

std::string presence_sites_fixture::count(client& x, const std::string& topic) {
  auto told = ask(x, "callboard.presence_count",
                  "{\"topic\":\"" + topic + "\"}");
  if (!told.starts_with("response 9 "))
    return told;
  auto number = [&](std::string_view name) {
    auto at = told.find(name) + name.size();
    return told.substr(at, told.find_first_not_of("0123456789", at) - at);
  };
  return number("\"members\":") + '/' + number("\"connections\":");
}

std::string presence_sites_fixture::news(client& x) {
  std::string result;
  for (auto& y : x.take())
    if (y.type == frame_type::presence)
      result += (result.empty() ? "" : "; ") + y.words();
  return result;
}

void presence_sites_fixture::report(size_t site, const std::string& topic,
                                    size_t n, const std::string& user) {
  auto result = caf::make_counted<presence_report>();
  for (size_t i = 0; i < n; ++i)
    result->changes.push_back({presence_change::kind::join, topic, 100'000 + i,
                               user.empty() ? user : user + std::to_string(i)});
  auto& shard = sites[site].node.loops[0]->brokers[0];
  shard.waiting->add(result->cost());
  caf::anon_send(shard.actor, presence_atom_v, std::move(result));
  settle();
}

void presence_sites_fixture::lose(client& x) {
  x->enter([&] { x->lost(1001, "gone"); });
  settle();
}

std::string presence_sites_fixture::step(const std::string& topic,
                                         const std::string& what,
                                         const std::string& user, client& x) {
  return "presence " + topic + " [{\"event\":\"" + what + "\""
         + (user.empty() ? "" : ",\"user\":\"" + user + "\"")
         + ",\"connection\":\"" + x->wire_name() + "\"}]";
}

std::string presence_sites_fixture::reset(const std::string& topic) {
  return "presence " + topic + " [{\"event\":\"reset\"}]";
}

} // namespace callboard
