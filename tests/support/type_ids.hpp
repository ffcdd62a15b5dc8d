#pragma once

// Announces the type IDs of the layer under test, and of those below it, to
// CAF. The build defines CALLBOARD_TEST_<LAYER> for a layer's program.

#include <caf/init_global_meta_objects.hpp>

#include <callboard/messages/errc.hpp>
#include <callboard/messages/payload.hpp>
#include <callboard/messages/shared_bytes.hpp>
#include <callboard/messages/type_ids.hpp>

#ifndef CALLBOARD_TEST_MESSAGES
#  include <callboard/actors/type_ids.hpp>
#endif

namespace callboard {

inline void init_type_ids() {
  caf::init_global_meta_objects<caf::id_block::callboard_messages>();
#ifndef CALLBOARD_TEST_MESSAGES
  caf::init_global_meta_objects<caf::id_block::callboard_actors>();
#endif
  caf::core::init_global_meta_objects();
}

} // namespace callboard
