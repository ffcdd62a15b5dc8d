#pragma once

#include <exception>
#include <utility>

#include <caf/abstract_actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_config.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/execution_unit.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/resumable.hpp>

#include <callboard/messages/errc.hpp>

// What differs between CAF 0.18 and 1.x in hosting an actor on a loop of ours
// is in this file and in net/io_loop.

namespace callboard {

/// An actor that runs on one I/O loop for all its life, whoever sends to it;
/// or on the system's scheduler where no loop is given (unit tests).
/// @tparam Base an event-based actor of CAF, typed or not.
template <class Base>
class hosted : public Base {
public:
  /// @param loop the loop's execution unit, or null.
  hosted(caf::actor_config& cfg, caf::execution_unit* loop)
    : Base{cfg}, loop_{loop} {
  }

  using Base::enqueue;

  bool enqueue(caf::mailbox_element_ptr what,
               caf::execution_unit* unit) override {
    return Base::enqueue(std::move(what), loop_ != nullptr ? loop_ : unit);
  }

  caf::resumable::subtype_t subtype() const override {
    // The loops run io_actors and pass everything else to the scheduler.
    return loop_ != nullptr ? caf::resumable::io_actor : Base::subtype();
  }

  /// Calls `f` in the actor's context without a message, the way CAF's scribes
  /// call their broker. An exception ends the actor. In `f` there is neither a
  /// current sender nor a response promise. Runs on the loop's thread.
  /// @returns false if the actor has terminated, before or by the call.
  template <class F>
  bool enter(F&& f) {
    caf::strong_actor_ptr keep{this->ctrl()};
    auto unit = loop_ != nullptr ? loop_
                                 : this->home_system().dummy_execution_unit();
    if (!this->activate(unit))
      return false;
    try {
      f();
    } catch (const std::exception& e) {
      this->quit(caf::make_error(errc::internal, e.what()));
    } catch (...) {
      this->quit(caf::make_error(errc::internal));
    }
    return !this->finalize();
  }

private:
  caf::execution_unit* loop_;
};

/// Returns whether an actor has ended, although somebody may still have a
/// handle of it. Any thread.
inline bool has_ended(const caf::strong_actor_ptr& x) noexcept {
  return x == nullptr
         || x->get()->getf(caf::abstract_actor::is_cleaned_up_flag);
}

/// Spawns the hosted actor `T` on `loop`, or on the scheduler of `sys` if that
/// is null. `T`'s constructor takes the configuration, `loop` and `xs...`.
template <class T, caf::spawn_options Os = caf::no_spawn_options, class... Ts>
auto spawn_hosted(caf::actor_system& sys, caf::execution_unit* loop,
                  Ts&&... xs) {
  caf::actor_config cfg{loop};
  return sys.spawn_class<T, Os>(cfg, loop, std::forward<Ts>(xs)...);
}

} // namespace callboard
