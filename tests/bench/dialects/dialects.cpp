#include "dialects.hpp"

#include "mqtt.hpp"
#include "nats.hpp"
#include "nchan.hpp"
#include "socketio.hpp"

namespace callboard::cmd::bench {

namespace {

template <class T>
std::unique_ptr<dialect> make(const bench_options&) {
  return std::make_unique<T>();
}

} // namespace

dialect_factory find_dialect(std::string_view name) {
  if (name == "nats")
    return make<nats_dialect>;
  if (name == "mqtt")
    return make<mqtt_dialect>;
  if (name == "socketio")
    return make<socketio_dialect>;
  if (name == "nchan")
    return make<nchan_dialect>;
  return nullptr;
}

} // namespace callboard::cmd::bench
