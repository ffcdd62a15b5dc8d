#include <callboard/net/cluster/seeds.hpp>

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <callboard/net/cluster/options.hpp>

#include "net/fake_cluster_network.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace callboard::net;

namespace {

using strings = std::vector<std::string>;

struct fixture : test_coordinator_fixture<> {
  fixture() {
    gate = sys.spawn([this]() -> caf::behavior {
      return {
        [this](join_atom, const std::string& x) { told.push_back(x); },
        [this](leave_atom, const std::string& x) { gone.push_back(x); },
        // Behind how many addresses it was told that these were all.
        [this](join_atom) { ends.push_back(told.size()); },
      };
    });
  }

  ~fixture() override {
    for (auto& x : {uut, gate})
      caf::anon_send_exit(x, caf::exit_reason::kill);
    sched.run();
  }

  void start(const strings& places) {
    uut = spawn_hosted<cluster_seeds>(sys, nullptr, gate, network, places);
    settle();
  }

  void settle() {
    do
      sched.run();
    while (network->answer());
  }

  void look_again() {
    advance_time(cluster_seeds::interval);
    settle();
  }

  std::shared_ptr<fake_cluster_network> network
    = std::make_shared<fake_cluster_network>();
  caf::actor gate;
  caf::actor uut;
  strings told;
  strings gone;
  std::vector<size_t> ends;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(each address of each name is told once) {
  network->names["a"] = {"192.0.2.1", "2001:db8::1"};
  network->names["192.0.2.9"] = {"192.0.2.9"};
  start({"192.0.2.9:1", "a:8180"});
  CHECK_EQ(told,
           (strings{"192.0.2.9:1", "192.0.2.1:8180", "[2001:db8::1]:8180"}));
  told.clear();
  look_again();
  CHECK(told.empty());
}

CAF_TEST(what a name stands for later is told as well) {
  network->names["a"] = {"192.0.2.1"};
  start({"a:8180"});
  told.clear();
  // Where nobody knows it for a while, that is no news.
  network->names["a"] = {};
  look_again();
  network->names["a"] = {"192.0.2.1"};
  look_again();
  CHECK(told.empty());
  network->names["a"] = {"192.0.2.2", "192.0.2.1"};
  look_again();
  CHECK_EQ(told, strings{"192.0.2.2:8180"});
  told.clear();
  // What was gone for a while may have been forgotten.
  network->names["a"] = {"192.0.2.2"};
  look_again();
  network->names["a"] = {"192.0.2.2", "192.0.2.1"};
  look_again();
  CHECK_EQ(told, strings{"192.0.2.1:8180"});
}

CAF_TEST(what no name stands for any more is told) {
  network->names["a"] = {"192.0.2.1", "192.0.2.2"};
  network->names["b"] = {"192.0.2.1"};
  start({"a:8180", "b:8180"});
  network->names["a"] = {"192.0.2.3"};
  look_again();
  // The other one is that of `b` still.
  CHECK_EQ(gone, strings{"192.0.2.2:8180"});
  network->names["b"] = {};
  look_again();
  CHECK_EQ(gone.size(), 1u);
  network->names["b"] = {"192.0.2.4"};
  look_again();
  CHECK_EQ(gone, (strings{"192.0.2.2:8180", "192.0.2.1:8180"}));
}

CAF_TEST(names that take long are not asked for again meanwhile) {
  uut = spawn_hosted<cluster_seeds>(sys, nullptr, gate, network,
                                    strings{"a:8180", "b:8180"});
  sched.run();
  for (auto i = 0; i < 3; ++i) {
    advance_time(cluster_seeds::interval);
    sched.run();
  }
  CHECK_EQ(network->looks, 2);
  settle();
  look_again();
  CHECK_EQ(network->looks, 4);
}

CAF_TEST(it is told once that all places were looked at) {
  network->names["a"] = {"192.0.2.1", "192.0.2.2"};
  // Nobody knows the other one; `a` twice is one place.
  start({"a:8180", "b:8180", "a:8180"});
  CHECK_EQ(told.size(), 2u);
  CHECK_EQ(ends, std::vector<size_t>{2});
  network->names["b"] = {"192.0.2.3"};
  look_again();
  CHECK_EQ(told.size(), 3u);
  caf::anon_send(uut, join_atom_v, std::string{"a:1"});
  settle();
  CHECK_EQ(told.size(), 5u);
  CHECK_EQ(ends.size(), 1u);
}

CAF_TEST(nowhere to look is told at once) {
  uut = spawn_hosted<cluster_seeds>(sys, nullptr, gate, network, strings{});
  sched.run();
  CHECK_EQ(ends, std::vector<size_t>{0});
}

CAF_TEST(places come later too and are bounded) {
  network->names["a"] = {"192.0.2.1"};
  start({});
  CHECK(told.empty());
  for (auto i = 0; i < 2; ++i)
    caf::anon_send(uut, join_atom_v, std::string{"a:1"});
  settle();
  CHECK_EQ(told, strings{"192.0.2.1:1"});
  for (size_t i = 2; i < cluster_settings::join_max + 10; ++i)
    caf::anon_send(uut, join_atom_v, "a:" + std::to_string(i));
  settle();
  CHECK_EQ(told.size(), cluster_settings::join_max);
}

END_FIXTURE_SCOPE()
