#pragma once

#include <exception>
#include <string>
#include <type_traits>
#include <utility>

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/expected.hpp>
#include <caf/send.hpp>
#include <caf/spawn_options.hpp>

#include <callboard/actors/messages.hpp>
#include <callboard/actors/responder_error.hpp>
#include <callboard/actors/server_actor.hpp>
#include <callboard/messages/payload.hpp>

namespace callboard {

/// What askers get whose payload is not what the action takes: code 1000,
/// `bad_payload`. Applications number their own errors from 1001.
caf::error bad_payload();

/// Registers `responder`, a `responder_actor`, for an action. Blocks until the
/// router knows it, for 10 s at most; for any thread that runs no actor.
/// @returns none, or why it was not: `errc::bad_subject`, `errc::overloaded`
///          (the action has `responders_max` already), or CAF's
///          `request_receiver_down` where the server has ended.
caf::error add_responder(const server_handle& server, const std::string& action,
                         const caf::actor& responder);

namespace detail {

// -- turns what a handler returns into what the router takes ------------------

inline caf::result<payload> to_answer(payload x) {
  return x;
}

template <class T>
caf::result<payload> to_answer(const T& x) {
  return payload::pack(x);
}

template <class T>
caf::result<payload> to_answer(caf::expected<T> x) {
  if (!x)
    return std::move(x.error());
  if constexpr (std::is_void_v<T>)
    return payload{};
  else
    return to_answer(std::move(*x));
}

template <class F, class Request>
decltype(auto) call(F& f, const Request& x, const action_request& context) {
  if constexpr (std::is_invocable_v<F&, const Request&, const action_request&>)
    return f(x, context);
  else
    return f(x);
}

template <class F, class Request>
caf::result<payload>
answer(F& f, const Request& x, const action_request& context) {
  using result = decltype(call(f, x, context));
  if constexpr (std::is_void_v<result>) {
    call(f, x, context);
    return payload{};
  } else {
    return to_answer(call(f, x, context));
  }
}

} // namespace detail

/// Spawns a `responder_actor` that calls a function with typed values.
///
/// The actor calls `f` for one request at a time, so `f` may keep state; spawn
/// and register several for requests to be answered side by side. What `f`
/// throws fails that request with `responder_failed`, and the actor goes on.
/// @tparam Request what the payload is converted to by msgpack-c, own types by
///                 `MSGPACK_DEFINE_MAP` (a key that is not there leaves its
///                 member as it was made); `payload` is not converted. An asker
///                 whose payload has another shape gets `bad_payload`.
/// @tparam Os `caf::detached` where `f` blocks.
/// @param f takes `const Request&`, and `const action_request&` if it likes;
///          returns the answer, a `caf::expected` of it, or nothing. Which of
///          its errors the asker gets to see is told at `responder_actor`.
template <class Request, caf::spawn_options Os = caf::no_spawn_options, class F>
caf::actor make_responder(caf::actor_system& sys, F f) {
  auto handler = [f = std::move(f)](
                   const action_request& x) mutable -> caf::result<payload> {
    try {
      if constexpr (std::is_same_v<Request, payload>) {
        return detail::answer(f, x.payload, x);
      } else {
        if (auto request = x.payload.template get_as<Request>())
          return detail::answer(f, *request, x);
        return bad_payload();
      }
    } catch (const std::exception&) {
      // Its text may hold what is no business of the asker's.
      return caf::make_error(errc::responder_failed);
    }
  };
  return sys.spawn<Os>([handler = std::move(handler)](caf::event_based_actor*) {
    return caf::behavior{handler};
  });
}

/// Answers an action's requests by a function, as `make_responder` and
/// `add_responder` do.
/// @returns the responder, which serves until it is sent an exit message, the
///          action is unregistered or the server ends.
template <class Request, caf::spawn_options Os = caf::no_spawn_options, class F>
caf::expected<caf::actor>
respond(const server_handle& server, const std::string& action, F f) {
  auto responder = make_responder<Request, Os>(server->home_system(),
                                               std::move(f));
  if (auto failed = add_responder(server, action, responder)) {
    caf::anon_send_exit(responder, caf::exit_reason::user_shutdown);
    return failed;
  }
  return responder;
}

} // namespace callboard
