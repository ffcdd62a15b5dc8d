#include <callboard/actors/server_actor.hpp>

#include <caf/make_counted.hpp>
#include <caf/send.hpp>

#include <callboard/actors/user_topic.hpp>
#include <callboard/messages/topic.hpp>

// What the application publishes.

namespace callboard {

caf::result<position> server_actor::publish(std::string topic, payload content,
                                            publish_options options) {
  auto wrong = check_full_name(node_.options.tenant_isolation, topic,
                               check_topic);
  return publish(std::move(topic), wrong, std::move(content),
                 std::move(options));
}

caf::result<position> server_actor::push(const std::string& user,
                                         payload content) {
  auto parts = split_tenant(user);
  if (!node_.options.tenant_isolation || !is_tenant_name(parts.tenant))
    parts = {false, {}, user};
  auto topic = user_topic(parts.visible);
  auto wrong = topic.empty() ? check_topic("$user/" + user)
                             : subject_error::none;
  return publish(tenant_topic(parts.tenant, topic), wrong, std::move(content),
                 {});
}

caf::result<position>
server_actor::publish(std::string topic, subject_error wrong, payload content,
                      publish_options options) {
  if (wrong != subject_error::none)
    return caf::make_error(errc::bad_subject, std::string{to_sentence(wrong)});
  if (options.key.size() > publication_key_bytes_max)
    return caf::make_error(errc::bad_payload,
                           std::string{"A key has 1 to 64 bytes."});
  if (options.id.size() > publication_id_bytes_max)
    return caf::make_error(errc::bad_payload,
                           std::string{"An id has 1 to 64 bytes."});
  auto& shard = broker_of(topic);
  if (node_.congested(shard))
    return caf::make_error(errc::overloaded);
  auto x = caf::make_counted<publication>();
  x->topic = std::move(topic);
  x->payload = std::move(content);
  x->key = std::move(options.key);
  x->id = std::move(options.id);
  shard.waiting->add(x->cost());
  if (!current_sender()) {
    caf::anon_send(shard.actor, publish_atom_v, std::move(x));
    return position{};
  }
  auto promise = make_response_promise<position>();
  request(shard.actor, caf::infinite, publish_atom_v, std::move(x))
    .then(
      [promise](published& y) mutable {
        if (y.code != errc::none)
          promise.deliver(caf::make_error(y.code));
        else
          promise.deliver(std::move(y.position));
      },
      [promise](const caf::error&) mutable {
        promise.deliver(caf::make_error(errc::internal));
      });
  return promise;
}

} // namespace callboard
