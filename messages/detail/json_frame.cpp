#include <callboard/messages/detail/json_frame.hpp>

#include <charconv>
#include <tuple>

#include <callboard/messages/detail/meta_names.hpp>
#include <callboard/messages/detail/transcode.hpp>
#include <callboard/messages/frame_reader.hpp>

namespace callboard::detail {

namespace {

template <class T>
bool to_integer(std::string_view text, T& x) noexcept {
  auto end = text.data() + text.size();
  T value{};
  auto [ptr, code] = std::from_chars(text.data(), end, value);
  // A fraction or an exponent is left over.
  if (code != std::errc{} || ptr != end)
    return false;
  x = value;
  return true;
}

} // namespace

json_frame::field json_frame::field_from(std::string_view name) noexcept {
  if (name == "type")
    return field::type;
  if (name == "seqId")
    return field::seq_id;
  if (name == "timestamp")
    return field::timestamp;
  if (name == "subject")
    return field::subject;
  if (name == "payload")
    return field::payload;
  return name == "meta" ? field::meta : field::unknown;
}

const char* json_frame::run(callboard_rapidjson::Reader& memory) {
  auto error = parser_.run(memory);
  if (reason_ != nullptr || error != nullptr)
    return reason_ != nullptr ? reason_ : error;
  if (!has_type_)
    return "a frame has a type";
  // Special forms have fewer levels as values than as text.
  if (parser_.depth_seen() > payload_depth_max + 1 && !out_.payload.empty()
      && !is_json(out_.payload.bytes))
    return "a payload nests deeper than 64";
  if (out_.type == frame_type::request && out_.subject.empty())
    out_.subject = action_;
  return nullptr;
}

bool json_frame::on_key(std::string_view name) {
  switch (here()) {
    case place::frame: {
      field_ = field_from(name);
      auto bit = 1u << static_cast<uint8_t>(field_);
      need(field_ == field::unknown || (seen_ & bit) == 0,
           "a name stands there twice");
      seen_ |= bit;
      payload_begin_ = parser_.pos();
      break;
    }
    case place::meta:
      meta_key_ = meta_key_from(name);
      if (meta_key_) {
        need(!out_.meta.has(*meta_key_), "a meta key stands there twice");
        out_.meta.mark(*meta_key_);
      }
      break;
    case place::since:
      since_key_ = name == "epoch" ? 1 : name == "offset" ? 2 : 0;
      need((since_seen_ & since_key_) == 0, "a meta key stands there twice");
      since_seen_ |= since_key_;
      break;
    case place::payload:
      action_is_next_ = name == "action";
      break;
    default:
      break;
  }
  return true;
}

json_frame::place json_frame::inside(bool is_object) {
  constexpr auto container = token{kind::container, false, {}};
  switch (here()) {
    case place::outside:
      need(is_object, "a frame is an object");
      return is_object ? place::frame : place::ignored;
    case place::frame:
      if (field_ == field::payload)
        return place::payload;
      if (field_ == field::meta && is_object)
        return place::meta;
      set_field(container);
      break;
    case place::meta:
      if (meta_key_ == meta_key::since && is_object)
        return place::since;
      set_meta(container);
      break;
    case place::since:
      set_since(container);
      break;
    default:
      break;
  }
  return place::ignored;
}

bool json_frame::on_begin(bool is_object) {
  auto next = inside(is_object);
  action_is_next_ = false;
  if (++depth_ < places_.size())
    places_[depth_] = next;
  return true;
}

bool json_frame::on_end(bool, size_t) {
  if (here() == place::since)
    need(since_seen_ == 3, "meta since is not {epoch, offset}");
  if (--depth_ == 1 && field_ == field::payload)
    end_payload(parser_.pos() + 1);
  return true;
}

bool json_frame::on_value(const token& x) {
  switch (here()) {
    case place::outside:
      need(false, "a frame is an object");
      break;
    case place::frame:
      set_field(x);
      break;
    case place::meta:
      set_meta(x);
      break;
    case place::since:
      set_since(x);
      break;
    case place::payload:
      if (action_is_next_ && x.type == kind::string)
        action_ = keep(x.text);
      action_is_next_ = false;
      break;
    default:
      break;
  }
  return true;
}

void json_frame::set_field(const token& x) {
  // Null counts as left out.
  if (x.type == kind::null)
    return;
  switch (field_) {
    case field::unknown:
      break;
    case field::type:
      need(x.type == kind::string, "type is not a string");
      has_type_ = true;
      if (auto type = frame_type_from(x.text)) {
        out_.type = *type;
        known_type_ = true;
      }
      break;
    case field::seq_id:
      need(x.type == kind::number && to_integer(x.text, out_.seq_id),
           "seqId is not an unsigned integer of 32 bits");
      break;
    case field::timestamp:
      need(x.type == kind::number && to_integer(x.text, out_.timestamp),
           "timestamp is not an integer of 64 bits");
      break;
    case field::subject:
      need(set_text(x, out_.subject), "subject is not a string");
      break;
    case field::payload:
      end_payload(parser_.pos());
      break;
    case field::meta:
      need(false, "meta is not an object");
      break;
  }
}

void json_frame::set_meta(const token& x) {
  if (!meta_key_)
    return;
  auto& meta = out_.meta;
  auto is_uint = [&x](uint64_t& number) {
    return x.type == kind::number && to_integer(x.text, number);
  };
  auto is_bool = [&x](bool& flag) {
    flag = x.flag;
    return x.type == kind::boolean;
  };
  auto is_short = [&](std::string_view& text, size_t size_max) {
    return set_text(x, text) && !text.empty() && text.size() <= size_max;
  };
  switch (*meta_key_) {
    case meta_key::offset:
      return need(is_uint(meta.offset), "meta offset is not unsigned");
    case meta_key::epoch:
      return need(set_text(x, meta.epoch), "meta epoch is not a string");
    case meta_key::since:
      return need(false, "meta since is not {epoch, offset}");
    case meta_key::id:
      return need(is_short(meta.id, publication_id_bytes_max),
                  "meta id is not a string of 1 … 64 bytes");
    case meta_key::no_echo:
      return need(is_bool(meta.no_echo), "meta noEcho is not a boolean");
    case meta_key::sender:
      return need(set_text(x, meta.sender), "meta sender is not a string");
    case meta_key::timeout_ms:
      return need(is_uint(meta.timeout_ms), "meta timeoutMs is not unsigned");
    case meta_key::code:
      return need(is_uint(meta.code), "meta code is not unsigned");
    case meta_key::temporary:
      return need(is_bool(meta.temporary), "meta temporary is not a boolean");
    case meta_key::retry_after_ms:
      return need(is_uint(meta.retry_after_ms),
                  "meta retryAfterMs is not unsigned");
    case meta_key::pattern:
      return need(set_text(x, meta.pattern), "meta pattern is not a string");
    case meta_key::trace:
      return need(set_text(x, meta.trace), "meta trace is not a string");
    case meta_key::presence:
      return need(is_bool(meta.presence), "meta presence is not a boolean");
    case meta_key::retained:
      return need(is_bool(meta.retained), "meta retained is not a boolean");
    case meta_key::group:
      return need(is_short(meta.group, group_name_bytes_max),
                  "meta group is not a string of 1 … 64 bytes");
    case meta_key::key:
      return need(is_short(meta.key, publication_key_bytes_max),
                  "meta key is not a string of 1 … 64 bytes");
    case meta_key::ack:
      return need(is_bool(meta.ack), "meta ack is not a boolean");
    case meta_key::attempt:
      return need(is_uint(meta.attempt), "meta attempt is not unsigned");
    case meta_key::origin:
      return need(set_text(x, meta.origin), "meta origin is not a string");
  }
}

void json_frame::set_since(const token& x) {
  auto& since = out_.meta.since;
  if (since_key_ == 1)
    need(set_text(x, since.epoch), "meta since has an epoch of text");
  else if (since_key_ == 2)
    need(x.type == kind::number && to_integer(x.text, since.offset),
         "meta since has an unsigned offset");
}

bool json_frame::set_text(const token& x, std::string_view& text) {
  if (x.type != kind::string)
    return false;
  text = keep(x.text);
  return true;
}

void json_frame::end_payload(const char* end) noexcept {
  auto text = std::string_view{payload_begin_,
                               static_cast<size_t>(end - payload_begin_)};
  // In front of the value stands its colon.
  text.remove_prefix(text.find_first_not_of(" \t\r:"));
  out_.payload.bytes = text;
}

std::string_view json_frame::keep(std::string_view text) {
  // Without an escape the same bytes stand in front of the closing quote.
  auto raw = std::string_view{parser_.pos() - 1 - text.size(), text.size()};
  if (raw == text)
    return raw;
  // All texts together are shorter than the line, so nothing moves.
  std::ignore = scratch_.reserve_back(line_.size() - scratch_.size());
  auto begin = scratch_.size();
  scratch_.append(text);
  return scratch_.view().substr(begin);
}

} // namespace callboard::detail
