#include <callboard/net/client_init.hpp>

#include <caf/init_global_meta_objects.hpp>

#include <callboard/actors/type_ids.hpp>
#include <callboard/messages/errc.hpp>
#include <callboard/messages/payload.hpp>
#include <callboard/messages/shared_bytes.hpp>
#include <callboard/messages/type_ids.hpp>

namespace callboard::net {

void init_client() {
  caf::init_global_meta_objects<caf::id_block::callboard_messages>();
  caf::init_global_meta_objects<caf::id_block::callboard_actors>();
}

} // namespace callboard::net
