#pragma once

#include <callboard/actors/topic_table.hpp>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <callboard/messages/topic.hpp>

#include "support/test.hpp"

namespace callboard {

/// Writes an event as `topic@offset[ by pattern]` and a line break; what its
/// payload holds follows as it is.
class word_framing : public framing {
public:
  void append(wire_form, const frame_view& x, byte_buffer& out) override {
    ++encoded;
    out.append(x.subject);
    out.append("@" + std::to_string(x.meta.offset));
    if (x.meta.has(meta_key::pattern)) {
      out.append(" by ");
      out.append(x.meta.pattern);
    }
    if (x.meta.has(meta_key::retained))
      out.append(" retained");
    if (!x.payload.empty()) {
      out.append("|");
      out.append(x.payload.bytes);
    }
    out.append("\n");
  }

  size_t encoded = 0;
};

/// Writes down what it is told, and what is in its outbox by then.
class scribe : public subscriber {
public:
  scribe(outbox_scheduler& scheduler, wire_form form, connection_id id,
         size_t bytes_max = 10'000'000)
    : box{new outbox{scheduler, form, bytes_max}} {
    box->owner = this;
    box->connection = id;
  }

  void on_subscribed(uint32_t seq_id, std::string_view subject,
                     const topic_position* where, recovery missed,
                     last_values values) override {
    auto line = "subscribed " + std::to_string(seq_id) + ' '
                + std::string{subject};
    if (where != nullptr)
      line += ' ' + where->epoch + '@' + std::to_string(where->offset);
    if (missed != recovery::none)
      line += missed == recovery::whole ? " whole" : " lost";
    if (values != last_values::none)
      line += values == last_values::all ? " values" : " too many values";
    add(line);
  }

  void on_refused(uint32_t seq_id, std::string_view subject,
                  errc code) override {
    add("refused " + std::to_string(seq_id) + ' ' + std::string{subject} + ' '
        + to_string(code));
  }

  void on_position(std::string_view subject, const topic_position* where,
                   std::string_view reason) override {
    auto line = "position " + std::string{subject} + ' ';
    if (where != nullptr)
      line += where->epoch + '@' + std::to_string(where->offset) + ' ';
    add(line + std::string{reason});
  }

  void on_event(const publication& x, std::string_view pattern,
                bool retained) override {
    auto line = "value " + x.topic + '@' + std::to_string(x.offset);
    if (!pattern.empty())
      line += " by " + std::string{pattern};
    if (retained)
      line += " retained";
    add(line);
  }

  void on_presence(std::string_view topic, const presence_news* news) override {
    add("presence " + std::string{topic} + ' '
        + (news == nullptr ? "reset" : std::to_string(news->steps.size())));
  }

  void on_answer(uint32_t call_id, const request_outcome&) override {
    add("answer " + std::to_string(call_id));
  }

  std::string_view user() const noexcept override {
    return {};
  }

  /// Returns what it heard since the last call, in order.
  std::vector<std::string> words() {
    collect();
    return std::exchange(words_, {});
  }

  std::string heard() {
    std::string result;
    for (auto& x : words())
      result += (result.empty() ? "" : "; ") + x;
    return result;
  }

  /// Returns how many pieces wait in the outbox.
  size_t pieces() const {
    std::array<std::string_view, 16> views;
    return box->gather(views);
  }

  /// Returns where the first piece lies.
  const void* memory() const {
    std::array<std::string_view, 1> view;
    return box->gather(view) == 0 ? nullptr : view[0].data();
  }

  outbox_ptr box;

private:
  void add(std::string line) {
    collect();
    words_.push_back(std::move(line));
  }

  void collect() {
    std::string bytes;
    while (box->queued_bytes() > 0) {
      std::array<std::string_view, 1> view;
      box->gather(view);
      bytes += view[0];
      box->consume(view[0].size());
    }
    for (size_t at = 0; at < bytes.size();) {
      auto end = bytes.find('\n', at);
      auto line = bytes.substr(at, end - at);
      words_.push_back(line.substr(0, line.find('|')));
      at = end + 1;
    }
  }

  std::vector<std::string> words_;
};

struct topic_table_fixture {
  topic_table_fixture() : encoded{wire.encoded} {
    // nop
  }

  scribe& join(wire_form form = wire_form::msgpack,
               size_t bytes_max = 10'000'000) {
    return *scribes.emplace_back(
      std::make_unique<scribe>(scheduler, form, scribes.size() + 1, bytes_max));
  }

  auto subscribe(scribe& who, std::string_view subject, uint32_t seq_id,
                 bool takes_bytes = true) {
    return table.subscribe(*who.box, subject, seq_id, takes_bytes);
  }

  /// Subscribes and lets the owners answer with epoch `e` and offset 0.
  void attach(scribe& who, const std::string& subject,
              bool takes_bytes = true) {
    if (subscribe(who, subject, 1, takes_bytes)
        != topic_table::subscribe_result::attach)
      return;
    auto generation = table.new_generation(subject);
    if (is_pattern(subject))
      table.pattern_attached(subject, generation, 0, 1);
    else
      table.attached(subject, generation, {"e", 0});
  }

  /// Returns somebody who has `topic`.
  scribe& ready(const std::string& topic) {
    auto& result = join();
    attach(result, topic);
    result.words();
    return result;
  }

  size_t deliver(const std::string& topic, uint64_t offset,
                 const std::string& epoch = "e",
                 const std::string& content = {}) {
    auto event = make_event(topic, offset, epoch, content);
    event->no_echo = publisher != 0;
    event->publisher = publisher;
    return table.deliver(event);
  }

  static publication_ptr make_event(const std::string& topic, uint64_t offset,
                                    const std::string& epoch = "e",
                                    const std::string& content = {}) {
    auto event = caf::make_counted<publication>();
    event->topic = topic;
    event->offset = offset;
    event->epoch = epoch;
    event->payload = payload{payload_view{codec::msgpack, content}};
    return event;
  }

  word_framing wire;
  size_t& encoded;
  outbox_scheduler scheduler;
  std::vector<topic_rule> rules;
  static constexpr size_t values_max = 5;
  topic_table table{scheduler, wire, rules, values_max};
  std::vector<std::unique_ptr<scribe>> scribes;
  /// Publishes with no_echo, if not 0.
  connection_id publisher = 0;
};

} // namespace callboard
