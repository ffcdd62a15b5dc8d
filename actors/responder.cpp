#include <callboard/actors/responder.hpp>

#include <chrono>

#include <caf/scoped_actor.hpp>

namespace callboard {

caf::error bad_payload() {
  return to_error(responder_error{application_errc_min,
                                  "bad_payload",
                                  "The payload is not what this action takes.",
                                  false,
                                  {}});
}

caf::error add_responder(const server_handle& server, const std::string& action,
                         const caf::actor& responder) {
  static constexpr std::chrono::seconds timeout{10};
  caf::error result;
  caf::scoped_actor self{server->home_system()};
  self->request(server, timeout, register_atom_v, action, responder)
    .receive([] {}, [&result](caf::error& x) { result = std::move(x); });
  return result;
}

} // namespace callboard
