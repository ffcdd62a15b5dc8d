#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <callboard/actors/cluster/peer_replica_frames.hpp>
#include <callboard/actors/cluster/peer_set.hpp>
#include <callboard/actors/cluster/topic_replicas.hpp>

namespace callboard {

class broker;
struct loop_context;

/// The part of a broker shard that copies topics to other store nodes, and
/// keeps copies of theirs. It does nothing where no topic has replicas.
class broker_replicas : private replica_host {
public:
  /// @param self is whose part this is.
  broker_replicas(broker& self, loop_context& ctx);

  /// Returns whether a topic has copies at other nodes.
  [[nodiscard]] bool copied(std::string_view topic) const noexcept;

  /// Returns whether as much is on its way to those who are to have copies of a
  /// topic as may.
  [[nodiscard]] bool congested(std::string_view topic) const noexcept;

  /// The nodes are others.
  void install();

  /// Reads one frame and handles it.
  /// @returns false if it is none of its own.
  bool take_frame(uint32_t slot, peer_frame number, frame_source& source);

  void take(const store_report::replica& x);

  void tick();

  [[nodiscard]] topic_replicas& topics() noexcept {
    return topics_;
  }

private:
  void take(uint32_t slot, peer_replica& x);

  // -- replica_host -----------------------------------------------------------

  void send(uint32_t node, const std::string& topic,
            replica_message x) override;
  void load(const std::string& topic) override;
  void change(const std::string& topic, replica_write x) override;
  void read(store_query what,
            std::function<void(store_report::reading&&)> f) override;
  [[nodiscard]] std::string new_epoch() override;
  void begun(const std::string& topic) override;
  void agreed(const std::string& topic, uint64_t offset) override;
  void placed(const std::string& topic, uint64_t number) override;
  void lost(const std::string& topic) override;

  // Lets `tick` be called, unless it will be.
  void tick_later();

  void show_served();

  broker& self_;
  loop_context& ctx_;
  topic_replicas topics_;
  peer_set_ptr nodes_;
  bool ticks_ = false;
};

} // namespace callboard
