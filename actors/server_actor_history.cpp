#include <callboard/actors/server_actor.hpp>

#include <string_view>

#include <callboard/actors/tenant_space.hpp>
#include <callboard/messages/topic.hpp>

// What applications ask of a topic's past.

namespace callboard {

namespace {

// Rights are for clients, so any user's topic may be read.
subject_error check_history(std::string_view topic) noexcept {
  auto wrong = check_readable(topic);
  if (wrong == subject_error::reserved && topic.starts_with("$user/"))
    wrong = subject_error::none;
  return wrong;
}

} // namespace

caf::result<position> server_actor::where(const std::string& topic) {
  history_query x;
  x.topic = topic;
  x.position_only = true;
  return ask_history<position>(std::move(x),
                               [](history_page& y) { return y.head; });
}

caf::result<history_page>
server_actor::read_history(const std::string& topic,
                           history_options&& options) {
  history_query x;
  x.topic = topic;
  x.since_epoch = std::move(options.since.epoch);
  x.since_offset = options.since.offset;
  x.before = options.before;
  x.limit = options.limit;
  x.reverse = options.reverse;
  x.bytes_max = node_.options.outbox_bytes_max;
  return ask_history<history_page>(std::move(x), [](history_page& y) {
    return std::move(y);
  });
}

template <class Result, class F>
caf::result<Result> server_actor::ask_history(history_query x, F pick) {
  auto isolated = node_.options.tenant_isolation;
  if (auto wrong = check_full_name(isolated, x.topic, check_history);
      wrong != subject_error::none)
    return caf::make_error(errc::bad_subject, std::string{to_sentence(wrong)});
  if (!x.well_formed())
    return caf::make_error(errc::bad_payload,
                           std::string{
                             "A limit is 1 to 1000, and an epoch has 255 "
                             "bytes at most."});
  auto& shard = broker_of(x.topic);
  if (node_.congested(shard))
    return caf::make_error(errc::overloaded);
  shard.waiting->add(x.cost());
  auto promise = make_response_promise<Result>();
  request(shard.actor, caf::infinite, history_atom_v, std::move(x))
    .then([promise,
           pick](history_page& y) mutable { promise.deliver(pick(y)); },
          [promise](caf::error& why) mutable {
            // Any other one says that the shard has died.
            if (why.category() != caf::type_id_v<errc>)
              why = caf::make_error(errc::internal);
            promise.deliver(std::move(why));
          });
  return promise;
}

} // namespace callboard
