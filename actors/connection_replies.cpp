#include <callboard/actors/connection.hpp>

#include <caf/send.hpp>

#include <callboard/actors/connection_parts.hpp>
#include <callboard/actors/tenant_space.hpp>

// What a connection tells its client.

namespace callboard {

// -- answers of the shards ----------------------------------------------------

void connection::finish_publish(const published& x) {
  auto call = inflight_.take(x.call_id, inflight_kind::publish);
  if (!call)
    return;
  if (x.code != errc::none) {
    write_error(call->seq_id, x.code, {}, x.retry_after_ms);
  } else {
    topic_position where{x.position.epoch, x.position.offset};
    write_position(call->seq_id, where, nullptr);
  }
  close_if_drained();
}

void connection::finish_request(uint32_t call_id, const request_outcome& x) {
  if (auto call = inflight_.take(call_id, inflight_kind::request)) {
    write_outcome(call->seq_id, x);
  } else if (auto question = inflight_.take(call_id, inflight_kind::query)) {
    write_outcome(question->seq_id, x);
  } else if (auto who = inflight_.take(call_id,
                                       inflight_kind::presence_query)) {
    write_outcome(who->seq_id, x);
  } else if (auto wish = inflight_.take(call_id,
                                        inflight_kind::register_action)) {
    // The router has no room for one more responder.
    if (auto refused = served_->registering.extract(call_id))
      std::erase(served_->actions, refused.mapped());
    write_outcome(wish->seq_id, x);
  }
  close_if_drained();
}

void connection::finish_register(uint32_t call_id) {
  if (served_ != nullptr)
    served_->registering.erase(call_id);
  if (auto wish = inflight_.take(call_id, inflight_kind::register_action))
    write_response(wish->seq_id, {});
  close_if_drained();
}

// -- requests to the client ---------------------------------------------------

connection::served& connection::serving() {
  if (served_ == nullptr)
    served_ = std::make_unique<served>();
  return *served_;
}

void connection::serve(request_ticket ticket, const routed_request& x) {
  frame_view frame;
  // Applications ask without an id of the call.
  auto answered = ticket.number != 0;
  frame.type = answered ? frame_type::request : frame_type::notify;
  if (answered) {
    frame.seq_id = serving().next_seq_id();
    served_->requests[frame.seq_id] = {ticket, {}, {}};
  }
  frame.subject = visible_name(x.content.action);
  frame.payload = x.content.payload.view();
  frame.meta.mark(meta_key::sender);
  frame.meta.sender = ctx_.node.options.tenant_isolation
                        ? visible_name(x.content.sender)
                        : std::string_view{x.content.sender};
  if (answered) {
    frame.meta.mark(meta_key::timeout_ms);
    frame.meta.timeout_ms = static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(x.timeout).count());
  }
  if (!x.content.trace.empty()) {
    frame.meta.mark(meta_key::trace);
    frame.meta.trace = x.content.trace;
  }
  write(frame);
}

void connection::cancel_serving(const request_ticket& ticket) {
  if (served_ == nullptr)
    return;
  auto i = std::ranges::find_if(served_->requests, [&](auto& x) {
    return x.second.ticket == ticket;
  });
  if (i == served_->requests.end())
    return;
  frame_view frame;
  frame.type = frame_type::cancel;
  frame.seq_id = i->first;
  served_->requests.erase(i);
  write(frame);
  close_if_drained();
}

caf::result<payload> connection::ask(const std::string& action, payload content,
                                     caf::timespan timeout) {
  if (check_action(action) != subject_error::none)
    return caf::make_error(errc::bad_subject);
  if (serving().requests.size() >= ctx_.limits().inflight_max)
    return caf::make_error(errc::too_many_inflight);
  auto seq_id = served_->next_seq_id();
  auto promise = make_response_promise<payload>();
  auto timer = run_delayed(timeout, [this, seq_id] {
    auto late = served_ == nullptr ? decltype(served_->requests)::node_type{}
                                   : served_->requests.extract(seq_id);
    if (!late)
      return;
    late.mapped().promise.deliver(caf::make_error(errc::timeout));
    frame_view frame;
    frame.type = frame_type::cancel;
    frame.seq_id = seq_id;
    write(frame);
    close_if_drained();
  });
  served_->requests[seq_id] = {{}, promise, std::move(timer)};
  frame_view frame;
  frame.type = frame_type::request;
  frame.seq_id = seq_id;
  frame.subject = action;
  frame.payload = content.view();
  write(frame);
  return promise;
}

// -- frames -------------------------------------------------------------------

void connection::write(frame_view& x) {
  x.timestamp = ctx_.unix_ms;
  // Who has just been answered has just waited.
  if (x.type != frame_type::pong)
    last_frame_ms_ = ctx_.steady_ms;
  ++ctx_.counts.frames_out[static_cast<size_t>(x.type)];
  box_->append(ctx_.wire, x);
}

void connection::write_response(uint32_t seq_id, payload_view content) {
  if (seq_id == 0)
    return;
  frame_view frame;
  frame.type = frame_type::response;
  frame.seq_id = seq_id;
  frame.payload = content;
  write(frame);
}

void connection::write_position(uint32_t seq_id, const topic_position& where,
                                const bool* recovered) {
  byte_buffer content;
  msgpack::packer<byte_buffer> pack{content};
  pack.pack_map(recovered != nullptr ? 3 : 2);
  pack.pack("epoch").pack(where.epoch);
  pack.pack("offset").pack(where.offset);
  if (recovered != nullptr)
    pack.pack("recovered").pack(*recovered);
  write_response(seq_id, {codec::msgpack, content.view()});
}

void connection::write_pattern_response(uint32_t seq_id, bool since_asked,
                                        last_values values) {
  // A pattern has no position, so nothing can be told to have been recovered.
  byte_buffer content;
  msgpack::packer<byte_buffer> pack{content};
  auto retains = values != last_values::none;
  pack.pack_map((since_asked ? 1 : 0) + (retains ? 1 : 0));
  if (since_asked)
    pack.pack("recovered").pack(false);
  if (retains)
    pack.pack("retained").pack(values == last_values::all);
  write_response(seq_id, {codec::msgpack, content.view()});
}

void connection::on_position(std::string_view subject,
                             const topic_position* where,
                             std::string_view reason) {
  enter([&] {
    byte_buffer content;
    msgpack::packer<byte_buffer> pack{content};
    pack.pack_map(where != nullptr ? 3 : 1);
    if (where != nullptr) {
      pack.pack("epoch").pack(where->epoch);
      pack.pack("offset").pack(where->offset);
    }
    pack.pack("reason").pack(std::string{reason});
    frame_view frame;
    frame.type = frame_type::position;
    frame.subject = visible_name(subject);
    frame.payload = {codec::msgpack, content.view()};
    write(frame);
  });
}

void connection::refuse(uint32_t seq_id, errc code, std::string_view sentence) {
  if (seq_id != 0)
    write_error(seq_id, code, sentence);
}

void connection::write_error(uint32_t seq_id, errc code,
                             std::string_view sentence, uint64_t wait_ms) {
  auto& row = info(code);
  byte_buffer content;
  msgpack::packer<byte_buffer> pack{content};
  auto text = sentence.empty() ? row.sentence : sentence;
  pack.pack_str(static_cast<uint32_t>(text.size()));
  pack.pack_str_body(text.data(), static_cast<uint32_t>(text.size()));
  frame_view frame;
  frame.type = frame_type::error;
  frame.seq_id = seq_id;
  frame.subject = row.name;
  frame.payload = {codec::msgpack, content.view()};
  frame.meta.mark(meta_key::code);
  frame.meta.code = row.number;
  frame.meta.mark(meta_key::temporary);
  frame.meta.temporary = row.temporary;
  if (wait_ms == 0)
    wait_ms = retry_after_ms(code);
  if (wait_ms > 0) {
    frame.meta.mark(meta_key::retry_after_ms);
    frame.meta.retry_after_ms = wait_ms;
  }
  write(frame);
}

void connection::write_outcome(uint32_t seq_id, const request_outcome& x) {
  if (!x.failed())
    return write_response(seq_id, x.payload.view());
  frame_view frame;
  frame.type = frame_type::error;
  frame.seq_id = seq_id;
  frame.subject = x.name;
  frame.payload = x.payload.view();
  frame.meta.mark(meta_key::code);
  frame.meta.code = x.code;
  frame.meta.mark(meta_key::temporary);
  frame.meta.temporary = x.temporary;
  if (x.retry_after_ms != 0) {
    frame.meta.mark(meta_key::retry_after_ms);
    frame.meta.retry_after_ms = x.retry_after_ms;
  }
  write(frame);
}

void connection::write_goaway(std::string_view reason,
                              std::string_view reconnect, uint64_t spread_ms,
                              const std::vector<std::string>& urls) {
  byte_buffer content;
  msgpack::packer<byte_buffer> pack{content};
  pack.pack_map(urls.empty() ? 4 : 5);
  pack.pack("reason").pack(std::string{reason});
  pack.pack("reconnect").pack(std::string{reconnect});
  pack.pack("afterMs").pack(0);
  pack.pack("spreadMs").pack(spread_ms);
  if (!urls.empty())
    pack.pack("urls").pack(urls);
  frame_view frame;
  frame.type = frame_type::goaway;
  frame.payload = {codec::msgpack, content.view()};
  write(frame);
}

void connection::write_welcome(uint32_t seq_id) {
  auto ms = [](caf::timespan x) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(x).count();
  };
  auto& options = ctx_.node.options;
  byte_buffer content;
  msgpack::packer<byte_buffer> pack{content};
  auto named = !who_.user.empty();
  auto ends = who_.expires_ms != 0;
  pack.pack_map(8 + (named ? 1 : 0) + (ends ? 1 : 0));
  pack.pack("connection").pack(wire_name());
  pack.pack("node").pack(ctx_.node.name);
  pack.pack("incarnation").pack(ctx_.node.incarnation);
  if (named)
    pack.pack("user").pack(who_.user);
  pack.pack("pingIntervalMs").pack(ms(options.ping_interval));
  pack.pack("pingTimeoutMs").pack(ms(options.ping_timeout));
  pack.pack("frameBytesMax").pack(options.frame_bytes_max);
  pack.pack("inflightMax").pack(ctx_.limits().inflight_max);
  pack.pack("time").pack(ctx_.unix_ms);
  if (ends)
    pack.pack("expires").pack(who_.expires_ms);
  frame_view frame;
  frame.type = frame_type::welcome;
  frame.seq_id = seq_id;
  frame.payload = {codec::msgpack, content.view()};
  write(frame);
}

} // namespace callboard
