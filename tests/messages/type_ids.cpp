#include "support/test.hpp"

#include <callboard/messages/errc.hpp>
#include <callboard/messages/payload.hpp>
#include <callboard/messages/shared_bytes.hpp>
#include <callboard/messages/type_ids.hpp>

using namespace callboard;

// CAF sends these numbers to other nodes.
CAF_TEST(type IDs stay as they are) {
  CHECK_EQ(caf::id_block::callboard_messages::begin, 1000);
  CHECK_EQ(caf::type_id_v<errc>, 1000);
  CHECK_EQ(caf::type_id_v<shared_bytes>, 1001);
  CHECK_EQ(caf::type_id_v<payload>, 1002);
  CHECK_EQ(caf::id_block::callboard_messages::end, 1003);
}
