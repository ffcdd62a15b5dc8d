#include <callboard/actors/cluster/cluster_actor.hpp>

#include <algorithm>
#include <utility>

// Who keeps durable topics, as nodes were told.

namespace callboard {

void cluster_actor::check_stores() {
  auto own = membership_.self().stores;
  cluster_note note;
  std::vector<std::string> differ;
  for (auto& x : view_.members)
    if (x.stores != own) {
      note.members += (differ.empty() ? "" : ",") + x.name;
      differ.push_back(x.name);
    }
  auto is_known = [this](const std::string& name) {
    return std::ranges::find(stores_differ_, name) != stores_differ_.end();
  };
  auto is_news = !std::ranges::all_of(differ, is_known);
  stores_differ_ = std::move(differ);
  if (!is_news || !options_.log)
    return;
  note.what = cluster_news::store_nodes_differ;
  note.view = view_.number;
  options_.log(note);
}

std::vector<std::string> cluster_actor::absent_stores() const {
  std::vector<std::string> result;
  auto& peers = *slots_.last();
  for (size_t i = 0; i < peers.store_slots.size(); ++i)
    if (peers.store_slots[i] == peer_set::nobody)
      result.push_back(peers.stores->names()[i]);
  return result;
}

} // namespace callboard
