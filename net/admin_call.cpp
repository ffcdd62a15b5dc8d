#include <callboard/net/admin_call.hpp>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <system_error>
#include <utility>

#include <msgpack.hpp>

#include <callboard/actors/tenant_space.hpp>
#include <callboard/messages/topic.hpp>
#include <callboard/net/http_list.hpp>
#include <callboard/net/http_target.hpp>

namespace callboard::net {

namespace {

constexpr std::string_view api_prefix = "/api/";

// -- paths --------------------------------------------------------------------

struct fixed_path {
  std::string_view path;
  admin_endpoint what;
};

constexpr fixed_path fixed_paths[] = {
  {"node", admin_endpoint::node},
  {"cluster", admin_endpoint::cluster},
  {"connections", admin_endpoint::connections},
  {"topics", admin_endpoint::topics},
  {"publish", admin_endpoint::publish},
  {"push", admin_endpoint::push},
  {"log-level", admin_endpoint::log_level},
};

template <class T>
std::optional<T> read_number(std::string_view text) {
  T result{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(),
                                      result);
  if (error != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return result;
}

// Returns what stands between two texts; empty if it is not between them.
std::string_view between(std::string_view text, std::string_view before,
                         std::string_view after) noexcept {
  if (text.size() <= before.size() + after.size() || !text.starts_with(before)
      || !text.ends_with(after))
    return {};
  return text.substr(before.size(), text.size() - before.size() - after.size());
}

bool takes_body(admin_endpoint what) noexcept {
  return what == admin_endpoint::publish || what == admin_endpoint::push
         || what == admin_endpoint::log_level;
}

// Returns the methods, as the header Allow has them.
std::string_view methods_of(admin_endpoint what) noexcept {
  switch (what) {
    case admin_endpoint::node:
    case admin_endpoint::cluster:
    case admin_endpoint::connections:
    case admin_endpoint::topics:
      return "GET";
    case admin_endpoint::log_level:
      return "GET, PUT";
    default:
      return "POST";
  }
}

bool takes_method(admin_endpoint what, std::string_view method) noexcept {
  if (what == admin_endpoint::log_level)
    return method == "GET" || method == "PUT";
  return method == methods_of(what);
}

// -- bodies -------------------------------------------------------------------

bool is_json(std::string_view content_type) noexcept {
  auto type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' '))
    type.remove_suffix(1);
  return equal_ignoring_case(type, "application/json");
}

std::optional<http_content> check_body(const http_request& x,
                                       uint64_t body_bytes_max) {
  if (x.chunked || x.content_length == 0)
    return to_content(
      {411, "length_required", "This needs a body, and its Content-Length."});
  if (x.content_length > body_bytes_max)
    return to_content({413, "body_too_large",
                       "The body may have " + std::to_string(body_bytes_max)
                         + " bytes at most."});
  if (!is_json(x.content_type))
    return to_content(
      {415, "unsupported_media_type", "The body must be application/json."});
  return {};
}

// One value of any kind, as MessagePack.
struct any_value {
  byte_buffer bytes;

  void msgpack_unpack(const msgpack::object& x) {
    msgpack::pack(bytes, x);
  }

  [[nodiscard]] payload get() const {
    return payload{payload_view{codec::msgpack, bytes.view()}};
  }
};

struct publish_content {
  std::string topic;
  any_value payload;
  std::string id;
  std::string key;
  std::string tenant;

  MSGPACK_DEFINE_MAP(topic, payload, id, key, tenant)
};

struct push_content {
  std::string user;
  any_value payload;
  std::string tenant;

  MSGPACK_DEFINE_MAP(user, payload, tenant)
};

struct level_content {
  std::string level;

  MSGPACK_DEFINE_MAP(level)
};

template <class T>
std::optional<T> read_body(std::string_view body) {
  auto json = payload::from_json(body);
  return json ? json->get_as<T>() : std::nullopt;
}

// -- queries ------------------------------------------------------------------

// Sets `limit` if the query has one.
// @returns false if it is wrong.
bool read_limit(std::string_view query, uint32_t& limit) {
  auto text = query_value(query, "limit");
  if (text.empty())
    return true;
  auto number = read_number<uint32_t>(text);
  if (!number || *number < 1 || *number > inventory_page_max)
    return false;
  limit = *number;
  return true;
}

// The same for a text.
bool read_text(std::string_view query, std::string_view name,
               std::string& result) {
  auto text = percent_decode(query_value(query, name));
  if (!text)
    return false;
  result = std::move(*text);
  return true;
}

// Returns whether operators may name this tenant; empty: they name none.
bool may_name(std::string_view tenant, bool isolated) noexcept {
  return tenant.empty() || (isolated && is_tenant_name(tenant));
}

// The same for what a query has.
bool read_tenant(std::string_view query, bool isolated, std::string& result) {
  return read_text(query, "tenant", result) && may_name(result, isolated);
}

bool may_look_for(std::string_view pattern) noexcept {
  auto wrong = check_full_name(true, pattern, check_pattern);
  return wrong == subject_error::none || wrong == subject_error::reserved;
}

} // namespace

bool is_admin_path(std::string_view path) noexcept {
  return path == "/api" || path.starts_with(api_prefix);
}

admin_call find_admin_call(std::string_view path) {
  if (!path.starts_with(api_prefix))
    return {};
  path.remove_prefix(api_prefix.size());
  for (auto& x : fixed_paths)
    if (x.path == path)
      return {x.what, {}, 0};
  if (auto id = between(path, "connections/", "/close"); !id.empty())
    if (auto number = read_number<connection_id>(id))
      return {admin_endpoint::close_connection, {}, *number};
  if (auto name = between(path, "users/", "/close");
      !name.empty() && name.find('/') == std::string_view::npos)
    if (auto user = percent_decode(name))
      return {admin_endpoint::close_user, std::move(*user), 0};
  return {};
}

std::optional<http_content> check_admin_request(const http_request& x,
                                                uint64_t body_bytes_max) {
  auto what = find_admin_call(split_http_target(x.target).path).what;
  if (what == admin_endpoint::none)
    return to_content({404, "not_found", "There is nothing at this path."});
  auto methods = methods_of(what);
  if (!takes_method(what, x.method)) {
    auto result = to_content(
      {405, "method_not_allowed", "Another method is needed here."});
    result.fields += "Allow: " + std::string{methods} + "\r\n";
    return result;
  }
  if (x.method != "GET" && takes_body(what))
    return check_body(x, body_bytes_max);
  if (x.has_body)
    return to_content({413, "body_too_large", "This takes no body."});
  return {};
}

std::optional<connection_query> read_connection_query(std::string_view query,
                                                      bool isolated) {
  connection_query result;
  std::string tenant;
  if (!read_limit(query, result.limit) || !read_text(query, "user", result.user)
      || !read_tenant(query, isolated, tenant)
      || (result.user.empty() && !tenant.empty()))
    return std::nullopt;
  result.user = tenant_user(tenant, result.user);
  if (auto text = query_value(query, "after"); !text.empty()) {
    auto number = read_number<connection_id>(text);
    if (!number)
      return std::nullopt;
    result.after = *number;
  }
  return result;
}

std::optional<topic_query> read_topic_query(std::string_view query,
                                            bool isolated) {
  topic_query result;
  std::string tenant;
  if (!read_limit(query, result.limit)
      || !read_text(query, "after", result.after)
      || !read_text(query, "pattern", result.pattern)
      || !read_tenant(query, isolated, tenant))
    return std::nullopt;
  if (!tenant.empty())
    result.pattern
      = tenant_topic(tenant, result.pattern.empty() ? "#" : result.pattern);
  if (!result.pattern.empty() && !may_look_for(result.pattern))
    return std::nullopt;
  return result;
}

std::optional<std::string> read_user(std::string_view user,
                                     std::string_view query, bool isolated) {
  std::string tenant;
  if (!read_tenant(query, isolated, tenant))
    return std::nullopt;
  return tenant_user(tenant, user);
}

std::optional<admin_publication> read_publish(std::string_view body,
                                              bool isolated) {
  auto x = read_body<publish_content>(body);
  if (!x || x->payload.bytes.empty() || !may_name(x->tenant, isolated))
    return std::nullopt;
  return admin_publication{tenant_topic(x->tenant, x->topic),
                           x->payload.get(),
                           {std::move(x->key), std::move(x->id)}};
}

std::optional<admin_publication> read_push(std::string_view body,
                                           bool isolated) {
  auto x = read_body<push_content>(body);
  if (!x || x->user.empty() || x->payload.bytes.empty()
      || !may_name(x->tenant, isolated))
    return std::nullopt;
  return admin_publication{tenant_user(x->tenant, x->user),
                           x->payload.get(),
                           {}};
}

std::optional<std::string> read_log_level(std::string_view body) {
  constexpr std::string_view levels[] = {"debug", "info", "warn", "error",
                                         "off"};
  auto content = read_body<level_content>(body);
  if (!content || std::ranges::find(levels, content->level) == std::end(levels))
    return std::nullopt;
  return std::move(content->level);
}

} // namespace callboard::net
