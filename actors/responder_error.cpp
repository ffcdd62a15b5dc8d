#include <callboard/actors/responder_error.hpp>

#include <algorithm>
#include <chrono>

#include <caf/const_typed_message_view.hpp>

namespace callboard {

namespace {

using std::chrono::milliseconds;

// A day: what an asker would not wait for anyway.
constexpr uint64_t retry_after_ms_max = 86'400'000;

/// Returns whether an embedded responder may mean `x` as its answer. The other
/// codes tell of things that only the server can know.
bool may_answer(errc x) {
  switch (x) {
    case errc::bad_payload:
    case errc::forbidden:
    case errc::no_responder:
    case errc::timeout:
    case errc::circuit_open:
    case errc::owner_down:
    case errc::rate_limited:
    case errc::overloaded:
    case errc::shutting_down:
    case errc::storage_unavailable:
    case errc::internal:
      return true;
    default:
      return false;
  }
}

request_outcome to_outcome(const caf::error& x) {
  if (auto own = responder_error_of(x))
    return to_outcome(*own);
  auto ours = x.category() == caf::type_id_v<errc> && may_answer(errc_of(x));
  auto result = request_outcome::failure(ours ? errc_of(x)
                                              : errc::responder_failed);
  if (ours)
    if (auto view
        = caf::make_const_typed_message_view<std::string>(x.context()))
      result.payload = payload::pack(get<0>(view));
  return result;
}

// What errors with all that is known of them have as context: code, name,
// sentence, temporary, time.
auto view_context(const caf::error& x) {
  return caf::make_const_typed_message_view<uint16_t, std::string, std::string,
                                            bool, caf::timespan>(x.context());
}

std::string sentence_of(const request_outcome& x) {
  return x.payload.get_as<std::string>().value_or(std::string{});
}

} // namespace

// The client library gives its errors the same context, so that its `details`
// reads both.

caf::error to_error(responder_error x) {
  return caf::make_error(errc::responder_failed, x.code, std::move(x.name),
                         std::move(x.sentence), x.temporary, x.retry_after);
}

std::optional<responder_error> responder_error_of(const caf::error& x) {
  if (x != errc::responder_failed)
    return std::nullopt;
  auto view = view_context(x);
  if (!view || get<0>(view) < application_errc_min)
    return std::nullopt;
  return responder_error{get<0>(view), get<1>(view), get<2>(view), get<3>(view),
                         get<4>(view)};
}

caf::timespan retry_after_of(const caf::error& x) {
  if (!x)
    return caf::timespan{0};
  auto view = view_context(x);
  return view ? get<4>(view) : caf::timespan{0};
}

caf::error to_error(const request_outcome& x) {
  auto sentence = sentence_of(x);
  milliseconds retry_after{std::min(x.retry_after_ms, retry_after_ms_max)};
  if (auto code = errc_from_wire(x.code)) {
    // As a rule of another node has it.
    if (x.retry_after_ms != 0 && x.retry_after_ms != retry_after_ms(*code))
      return caf::make_error(*code, x.code, x.name, std::move(sentence),
                             x.temporary, caf::timespan{retry_after});
    if (sentence.empty() || sentence == info(*code).sentence)
      return caf::make_error(*code);
    return caf::make_error(*code, std::move(sentence));
  }
  return to_error(responder_error{x.code, x.name, std::move(sentence),
                                  x.temporary, retry_after});
}

request_outcome to_outcome(const responder_error& x) {
  auto ms = std::chrono::ceil<milliseconds>(x.retry_after).count();
  request_outcome result;
  result.code = x.code;
  result.name = x.name;
  result.temporary = x.temporary;
  result.retry_after_ms = static_cast<uint64_t>(std::max<int64_t>(ms, 0));
  result.payload = payload::pack(x.sentence);
  return result;
}

request_outcome to_outcome(const caf::message& response) {
  if (auto view = caf::make_const_typed_message_view<payload>(response))
    return request_outcome::answer(get<0>(view));
  if (auto view = caf::make_const_typed_message_view<caf::error>(response))
    return to_outcome(get<0>(view));
  return request_outcome::failure(errc::responder_failed);
}

} // namespace callboard
