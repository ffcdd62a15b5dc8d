#pragma once

#include <string>

#include <caf/actor_control_block.hpp>

#include <callboard/actors/group_messages.hpp>
#include <callboard/actors/group_seat.hpp>

namespace callboard {

class broker;
struct loop_context;

/// Tells the members of groups that are of this node what the owner of their
/// topic says, whichever node that is. Who is gone is told nothing.
class group_speaker {
public:
  /// @param self gets what embedded actors answer.
  group_speaker(broker& self, loop_context& ctx);

  /// Tells what became of a wish, or of a member that had to join anew. Nothing
  /// is said to one that goes on where it was.
  void tell(const group_seat& x, const group_outcome& y);

  /// Gives an event to a member.
  /// @param group whose event it is.
  void give(const caf::weak_actor_ptr& to, bool embedded,
            const std::string& group, group_event x);

  /// Tells a connection that this delivery is no longer its own.
  void withdraw(const caf::weak_actor_ptr& from, group_ticket x);

  /// Tells a member that events were lost in front of `where`.
  void tell_gap(const caf::weak_actor_ptr& to, bool embedded,
                const std::string& topic, const std::string& group,
                member_id member, const position& where);

private:
  broker& self_;
  loop_context& ctx_;
};

} // namespace callboard
