#include <callboard/net/http_router.hpp>

#include <utility>

#include <callboard/net/http_page.hpp>
#include <callboard/net/http_target.hpp>
#include <callboard/net/http_upgrade.hpp>

namespace callboard::net {

namespace {

constexpr std::string_view ws_path = "/ws";

/// What stands behind a path.
enum class resource { none, ws, echo, health, ready, metrics, page };

resource find_resource(std::string_view path, const server_options& options) {
  if (path == ws_path)
    return resource::ws;
  if (!options.echo_path.empty() && path == options.echo_path)
    return resource::echo;
  if (path == "/health")
    return resource::health;
  if (path == "/ready")
    return resource::ready;
  if (path == "/metrics")
    return options.metrics ? resource::metrics : resource::none;
  if (find_page_file(options.page, path) != nullptr)
    return resource::page;
  return resource::none;
}

constexpr bool is_ws(resource x) noexcept {
  return x == resource::ws || x == resource::echo;
}

http_content status_ok() {
  http_content result;
  result.type = "application/json";
  result.fields = "Cache-Control: no-store\r\n";
  result.text = "{\"status\": \"ok\"}\n";
  return result;
}

// A node whose store does not work serves everything else, so it is ready.
http_content status_ready(std::string_view store_state) {
  auto result = status_ok();
  if (!store_state.empty())
    result.text = "{\"status\": \"degraded\", \"store\": \""
                  + std::string{store_state} + "\"}\n";
  return result;
}

http_content metrics(http_front& front) {
  http_content result;
  result.type = "text/plain; version=0.0.4; charset=utf-8";
  result.fields = "Cache-Control: no-store\r\n";
  result.text = front.metrics_text();
  return result;
}

http_content method_not_allowed(resource what) {
  auto result = to_content({405, "method_not_allowed",
                            is_ws(what) ? "Only GET is allowed here."
                                        : "Only GET and HEAD are allowed."});
  result.fields += is_ws(what) ? "Allow: GET\r\n" : "Allow: GET, HEAD\r\n";
  return result;
}

http_content content_of(resource what, std::string_view path,
                        const http_request& request, http_front& front) {
  auto get = request.method == "GET"
             || (request.method == "HEAD" && !is_ws(what));
  if (what == resource::none)
    return to_content({404, "not_found", "There is nothing at this path."});
  if (!get)
    return method_not_allowed(what);
  if (request.has_body)
    return to_content({413, "body_too_large", "No request here has a body."});
  switch (what) {
    case resource::metrics:
      return metrics(front);
    case resource::page:
      return to_content(*find_page_file(front.options().page, path),
                        request.if_none_match);
    case resource::ready:
      if (auto refusal = check_ready(front))
        return to_content(*refusal);
      return status_ready(front.store_state());
    default:
      return status_ok();
  }
}

} // namespace

http_reply answer(const http_request& request, http_front& front,
                  const http_peer& peer) {
  auto [path, query] = split_http_target(request.target);
  auto what = find_resource(path, front.options());
  if (is_ws(what) && front.desk() != nullptr)
    what = resource::none;
  if (is_ws(what) && request.method == "GET" && !request.has_body)
    return answer_upgrade({request, query, peer, what == resource::echo},
                          front);
  auto content = content_of(what, path, request, front);
  auto close = content.status >= 400 || !request.keep_alive || request.http_1_0
               || !front.ready();
  return to_reply(std::move(content), request.method == "HEAD", close);
}

} // namespace callboard::net
