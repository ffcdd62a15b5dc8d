#include <callboard/net/client_error.hpp>

#include <algorithm>

#include <caf/message.hpp>
#include <caf/sec.hpp>

#include <callboard/messages/errc.hpp>
#include <callboard/messages/payload.hpp>

namespace callboard::net {

namespace {

// A day: what a client would not wait for anyway.
constexpr uint64_t retry_after_ms_max = 86'400'000;

// The context of an error that came from a server: code, name, sentence,
// temporary, retry_after.
caf::error pack(errc category, error_details x) {
  return caf::make_error(category, x.code, std::move(x.name),
                         std::move(x.sentence), x.temporary, x.retry_after);
}

bool is_packed(const caf::message& context) {
  return context
    .match_elements<uint16_t, std::string, std::string, bool, caf::timespan>();
}

} // namespace

caf::error to_error(const frame_view& x) {
  error_details result;
  result.code = static_cast<uint16_t>(std::min<uint64_t>(x.meta.code, 0xffff));
  result.name = x.subject;
  result.temporary = x.meta.temporary;
  result.retry_after = std::chrono::milliseconds{
    std::min<uint64_t>(x.meta.retry_after_ms, retry_after_ms_max)};
  auto known = errc_from_wire(result.code);
  auto category = known                                 ? *known
                  : result.code >= application_errc_min ? errc::responder_failed
                                                        : errc::internal;
  if (auto text = payload{x.payload}.get_as<std::string>())
    result.sentence = std::move(*text);
  else
    result.sentence = info(category).sentence;
  return pack(category, std::move(result));
}

caf::error to_error(std::string_view name, std::string_view sentence,
                    caf::timespan retry_after) {
  auto code = errc::internal;
  from_string(name, code);
  auto& known = info(code);
  return pack(code, {known.number, std::string{name}, std::string{sentence},
                     known.temporary, retry_after});
}

error_details details(const caf::error& x) {
  error_details result;
  if (!x)
    return result;
  auto& context = x.context();
  if (is_packed(context)) {
    result.code = context.get_as<uint16_t>(0);
    result.name = context.get_as<std::string>(1);
    result.sentence = context.get_as<std::string>(2);
    result.temporary = context.get_as<bool>(3);
    result.retry_after = context.get_as<caf::timespan>(4);
    return result;
  }
  if (x.category() == caf::type_id_v<errc>) {
    auto& known = info(errc_of(x));
    result.code = known.number;
    result.name = known.name;
    result.sentence = known.sentence;
    result.temporary = known.temporary;
  } else if (x.category() == caf::type_id_v<caf::sec>) {
    // CAF writes some enums with their namespaces.
    auto name = to_string(static_cast<caf::sec>(x.code()));
    result.name = name.substr(name.rfind(':') + 1);
    result.sentence = result.name;
  }
  if (context.match_elements<std::string>())
    result.sentence = context.get_as<std::string>(0);
  return result;
}

bool is_from_server(const caf::error& x) {
  return x && is_packed(x.context()) && x.context().get_as<uint16_t>(0) != 0;
}

std::string to_line(const caf::error& x) {
  auto known = details(x);
  if (known.code == 0)
    return known.sentence;
  return std::to_string(known.code) + ' ' + known.name + ": " + known.sentence;
}

} // namespace callboard::net
