#include <callboard/actors/cluster/lighter_nodes.hpp>

#include <algorithm>

#include <callboard/actors/cluster/client_url.hpp>

namespace callboard {

lighter_nodes::lighter_nodes(const std::vector<node_offer>& offers,
                             int64_t now_ms, int64_t timeout_ms) {
  for (auto& x : offers)
    if (x.load.intake == node_intake::open && !x.urls.empty()
        && now_ms - x.said_ms < timeout_ms)
      nodes_.emplace_back(x.load.weight() / range, x.urls);
  std::ranges::stable_sort(nodes_, {}, &node::first);
}

std::vector<std::string> lighter_nodes::pick(uint64_t turn) const {
  std::vector<const node*> picked;
  for (auto i = nodes_.begin();
       i != nodes_.end() && picked.size() < nodes_max;) {
    auto end = std::find_if(i, nodes_.end(), [first = i->first](auto& x) {
      return x.first != first;
    });
    auto equal = static_cast<uint64_t>(end - i);
    for (uint64_t n = 0; n < equal && picked.size() < nodes_max; ++n)
      picked.push_back(&i[static_cast<ptrdiff_t>((turn % equal + n) % equal)]);
    i = end;
  }
  std::vector<std::string> result;
  for (size_t n = 0; n < client_urls_max; ++n)
    for (auto* x : picked)
      if (n < x->second.size() && result.size() < urls_max)
        result.push_back(x->second[n]);
  return result;
}

} // namespace callboard
