#include <callboard/messages/errc.hpp>

#include <algorithm>
#include <array>

namespace callboard {

namespace {

constexpr std::array errors{
  errc_info{errc::malformed_frame, 100, "malformed_frame", false,
            "The bytes are not a frame."},
  errc_info{errc::unknown_type, 101, "unknown_type", false,
            "This version does not know this type of frame."},
  errc_info{errc::frame_too_large, 102, "frame_too_large", false,
            "The message is larger than the server takes."},
  errc_info{errc::bad_subject, 103, "bad_subject", false,
            "The subject breaks the grammar of topics, patterns or actions."},
  errc_info{errc::duplicate_seq_id, 104, "duplicate_seq_id", false,
            "A request with this seqId is still in flight."},
  errc_info{errc::too_many_inflight, 105, "too_many_inflight", true,
            "Too many requests of this connection are in flight."},
  errc_info{errc::unexpected_frame, 106, "unexpected_frame", false,
            "A frame of this type is not taken here, or not now."},
  errc_info{errc::bad_payload, 107, "bad_payload", false,
            "The payload is not what the action takes."},
  errc_info{errc::unauthenticated, 200, "unauthenticated", false,
            "This needs a valid login."},
  errc_info{errc::token_expired, 201, "token_expired", false,
            "The token has expired."},
  errc_info{errc::forbidden, 202, "forbidden", false,
            "This user may not do this to this subject."},
  errc_info{errc::no_responder, 300, "no_responder", true,
            "Nobody answers requests for this action."},
  errc_info{errc::timeout, 301, "timeout", true,
            "The request was not answered in time."},
  errc_info{errc::responder_failed, 302, "responder_failed", true,
            "The responder was lost before it answered."},
  errc_info{errc::cancelled, 303, "cancelled", false,
            "The request was cancelled."},
  errc_info{errc::circuit_open, 304, "circuit_open", true,
            "The responders of this action fail too often; try again later."},
  errc_info{errc::owner_down, 305, "owner_down", true,
            "The topic's node is away, or another one is taking over."},
  errc_info{errc::not_subscribed, 400, "not_subscribed", false,
            "This connection has no such subscription."},
  errc_info{errc::already_subscribed, 401, "already_subscribed", false,
            "This connection has this subscription already."},
  errc_info{errc::too_many_subscriptions, 402, "too_many_subscriptions", false,
            "This connection has too many subscriptions."},
  errc_info{errc::no_presence, 403, "no_presence", false,
            "This topic does not keep who is here."},
  errc_info{errc::rate_limited, 500, "rate_limited", true,
            "Too many frames in a short time; try again later."},
  errc_info{errc::overloaded, 501, "overloaded", true,
            "The server is overloaded; try again later."},
  errc_info{errc::shutting_down, 502, "shutting_down", true,
            "The server is shutting down."},
  errc_info{errc::storage_unavailable, 503, "storage_unavailable", true,
            "What this topic keeps cannot be read or written; try again "
            "later."},
  errc_info{errc::internal, 599, "internal", true,
            "Something failed inside the server."},
};

constexpr const errc_info& internal_row = errors.back();

template <class Predicate>
const errc_info* find(Predicate predicate) noexcept {
  auto i = std::find_if(errors.begin(), errors.end(), predicate);
  return i != errors.end() ? &*i : nullptr;
}

} // namespace

std::span<const errc_info> errc_table() noexcept {
  return errors;
}

const errc_info& info(errc x) noexcept {
  auto row = find([x](const errc_info& y) { return y.code == x; });
  return row != nullptr ? *row : internal_row;
}

uint16_t wire_number(errc x) noexcept {
  return x == errc::none ? uint16_t{0} : info(x).number;
}

std::optional<errc> errc_from_wire(uint64_t number) noexcept {
  auto row = find([=](const errc_info& y) { return y.number == number; });
  return row != nullptr ? std::optional{row->code} : std::nullopt;
}

errc errc_of(const caf::error& x) noexcept {
  if (!x)
    return errc::none;
  auto result = errc::internal;
  if (x.category() == caf::type_id_v<errc>)
    from_integer(x.code(), result);
  return result;
}

std::string to_string(errc x) {
  return x == errc::none ? "none" : std::string{info(x).name};
}

bool from_string(std::string_view name, errc& x) noexcept {
  if (name == "none") {
    x = errc::none;
    return true;
  }
  auto row = find([name](const errc_info& y) { return y.name == name; });
  if (row != nullptr)
    x = row->code;
  return row != nullptr;
}

bool from_integer(uint8_t value, errc& x) noexcept {
  auto code = static_cast<errc>(value);
  auto known = code == errc::none
               || find([=](const errc_info& y) { return y.code == code; });
  if (known)
    x = code;
  return known;
}

} // namespace callboard
