#include <callboard/actors/type_ids.hpp>

#include "support/test.hpp"

using namespace callboard;

// CAF sends these numbers to other nodes.
CAF_TEST(type IDs stay as they are) {
  CHECK_EQ(caf::id_block::callboard_actors::begin, 1100);
  CHECK_EQ(caf::type_id_v<publish_atom>, 1100);
  CHECK_EQ(caf::type_id_v<subscribe_atom>, 1101);
  CHECK_EQ(caf::type_id_v<unsubscribe_atom>, 1102);
  CHECK_EQ(caf::type_id_v<attach_atom>, 1103);
  CHECK_EQ(caf::type_id_v<attached_atom>, 1104);
  CHECK_EQ(caf::type_id_v<detach_atom>, 1105);
  CHECK_EQ(caf::type_id_v<deliver_atom>, 1106);
  CHECK_EQ(caf::type_id_v<expire_atom>, 1107);
  CHECK_EQ(caf::type_id_v<serve_atom>, 1108);
  CHECK_EQ(caf::type_id_v<route_atom>, 1109);
  CHECK_EQ(caf::type_id_v<resolve_atom>, 1110);
  CHECK_EQ(caf::type_id_v<cancel_atom>, 1111);
  CHECK_EQ(caf::type_id_v<register_atom>, 1112);
  CHECK_EQ(caf::type_id_v<unregister_atom>, 1113);
  CHECK_EQ(caf::type_id_v<watch_atom>, 1114);
  CHECK_EQ(caf::type_id_v<unwatch_atom>, 1115);
  CHECK_EQ(caf::type_id_v<opened_atom>, 1116);
  CHECK_EQ(caf::type_id_v<drain_atom>, 1117);
  CHECK_EQ(caf::type_id_v<callboard::close_atom>, 1118);
  CHECK_EQ(caf::type_id_v<request_atom>, 1119);
  CHECK_EQ(caf::type_id_v<lookup_atom>, 1120);
  CHECK_EQ(caf::type_id_v<event>, 1121);
  CHECK_EQ(caf::type_id_v<position>, 1122);
  CHECK_EQ(caf::type_id_v<action_request>, 1123);
  CHECK_EQ(caf::type_id_v<lifecycle_event>, 1124);
  CHECK_EQ(caf::type_id_v<lifecycle_kind>, 1125);
  CHECK_EQ(caf::type_id_v<published>, 1126);
  CHECK_EQ(caf::type_id_v<publication_ptr>, 1127);
  CHECK_EQ(caf::type_id_v<routed_request_ptr>, 1128);
  CHECK_EQ(caf::type_id_v<request_outcome>, 1129);
  CHECK_EQ(caf::type_id_v<request_ticket>, 1130);
  CHECK_EQ(caf::type_id_v<heartbeat_ptr>, 1131);
  CHECK_EQ(caf::type_id_v<fetch_atom>, 1132);
  CHECK_EQ(caf::type_id_v<fetched_atom>, 1133);
  CHECK_EQ(caf::type_id_v<read_atom>, 1134);
  CHECK_EQ(caf::type_id_v<history_slice_ptr>, 1135);
  CHECK_EQ(caf::type_id_v<history_query>, 1136);
  CHECK_EQ(caf::type_id_v<presence_atom>, 1137);
  CHECK_EQ(caf::type_id_v<presence_report_ptr>, 1138);
  CHECK_EQ(caf::type_id_v<presence_news_ptr>, 1139);
  CHECK_EQ(caf::type_id_v<presence_query>, 1140);
  CHECK_EQ(caf::type_id_v<presence_step>, 1141);
  CHECK_EQ(caf::type_id_v<presence_member>, 1142);
  CHECK_EQ(caf::type_id_v<presence_count>, 1143);
  CHECK_EQ(caf::type_id_v<presence_page>, 1144);
  CHECK_EQ(caf::type_id_v<presence_update>, 1145);
  CHECK_EQ(caf::type_id_v<std::vector<presence_step>>, 1146);
  CHECK_EQ(caf::type_id_v<std::vector<presence_member>>, 1147);
  CHECK_EQ(caf::type_id_v<push_atom>, 1148);
  CHECK_EQ(caf::type_id_v<due_atom>, 1149);
  CHECK_EQ(caf::type_id_v<group_options>, 1150);
  CHECK_EQ(caf::type_id_v<group_wish>, 1151);
  CHECK_EQ(caf::type_id_v<group_notice>, 1152);
  CHECK_EQ(caf::type_id_v<group_ticket>, 1153);
  CHECK_EQ(caf::type_id_v<group_event>, 1154);
  CHECK_EQ(caf::type_id_v<group_answer>, 1155);
  CHECK_EQ(caf::type_id_v<store_report_ptr>, 1156);
  CHECK_EQ(caf::type_id_v<history_atom>, 1157);
  CHECK_EQ(caf::type_id_v<history_options>, 1158);
  CHECK_EQ(caf::type_id_v<history_page>, 1159);
  CHECK_EQ(caf::type_id_v<retained_query>, 1160);
  CHECK_EQ(caf::type_id_v<retained_page_ptr>, 1161);
  CHECK_EQ(caf::type_id_v<reload_atom>, 1162);
  CHECK_EQ(caf::type_id_v<rule_set_ptr>, 1163);
  CHECK_EQ(caf::type_id_v<audit_atom>, 1164);
  CHECK_EQ(caf::type_id_v<live_report_ptr>, 1165);
  CHECK_EQ(caf::id_block::callboard_actors::end, 1166);
}
