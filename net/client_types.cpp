#include <callboard/net/client_types.hpp>

namespace callboard::net {

namespace {

bool send_error(const incoming_request::sender& send, uint16_t code,
                std::string_view name, bool temporary,
                std::string_view sentence) {
  auto text = payload::pack(std::string{sentence});
  frame_view reply;
  reply.type = frame_type::error;
  reply.subject = name;
  reply.payload = text.view();
  reply.meta.code = code;
  reply.meta.mark(meta_key::code);
  reply.meta.temporary = temporary;
  reply.meta.mark(meta_key::temporary);
  return send(reply);
}

} // namespace

std::string_view to_string(client_state x) noexcept {
  switch (x) {
    case client_state::connecting:
      return "connecting";
    case client_state::connected:
      return "connected";
    case client_state::retry_pending:
      return "retry_pending";
    default:
      return "disconnected";
  }
}

bool incoming_request::answer(const payload& x) const {
  frame_view reply;
  reply.type = frame_type::response;
  reply.payload = x.view();
  return send_(reply);
}

bool incoming_request::fail(uint16_t code, std::string_view name,
                            std::string_view sentence, bool temporary) const {
  return send_error(send_, code, name, temporary, sentence);
}

bool incoming_request::fail(errc code, std::string_view sentence) const {
  auto& known = info(code);
  return send_error(send_, known.number, known.name, known.temporary, sentence);
}

} // namespace callboard::net
