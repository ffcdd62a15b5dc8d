#include <callboard/net/cluster/news.hpp>

#include <string>

#include <callboard/net/log.hpp>

namespace callboard::net {

namespace {

// What other nodes say of themselves must not end its quotes.
std::string quoted_text(std::string text) {
  for (auto& c : text)
    if (c == '"' || static_cast<unsigned char>(c) < ' ')
      c = '\'';
  return '"' + text + '"';
}

} // namespace

void log_cluster_news(const cluster_note& x) {
  auto event = to_string(x.what);
  auto log = logger("net");
  switch (x.what) {
    case cluster_news::link_up:
      return log->info("cluster_{} node={} address={}", event,
                       quoted_text(x.node), quoted_text(x.address));
    case cluster_news::view_changed:
    case cluster_news::ready:
      return log->info("cluster_{} view={} members={}", event, x.view,
                       quoted_text(x.members));
    case cluster_news::store_nodes_differ:
    case cluster_news::join_late:
      return log->warn("cluster_{} view={} members={}", event, x.view,
                       quoted_text(x.members));
    case cluster_news::dial_failed:
      // Of a node that is gone, again and again.
      return log->debug("cluster_{} address={} reason={}", event,
                        quoted_text(x.address), quoted_text(x.why));
    case cluster_news::no_link:
      return log->warn("cluster_{} address={} reason={}", event,
                       quoted_text(x.address), quoted_text(x.why));
    case cluster_news::link_down:
    case cluster_news::refused:
      return log->warn("cluster_{} node={} address={} reason={}", event,
                       quoted_text(x.node), quoted_text(x.address),
                       quoted_text(x.why));
  }
}

} // namespace callboard::net
