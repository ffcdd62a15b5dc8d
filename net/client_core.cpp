#include <callboard/net/client_core.hpp>

#include <utility>

#include <callboard/net/backoff.hpp>
#include <callboard/net/client_transport.hpp>

namespace callboard::net {

client_core::client_core(asio::any_io_executor executor)
  : executor_{std::move(executor)}, timer_{executor_} {
}

client_core::~client_core() {
  drop();
}

std::shared_ptr<client_core>
client_core::make(asio::any_io_executor executor, client_options options,
                  client_handlers handlers,
                  std::function<void(const caf::error&)> ended) {
  std::shared_ptr<client_core> result{new client_core{std::move(executor)}};
  auto arm = [weak = result->weak_from_this()] {
    if (auto self = weak.lock())
      self->arm();
  };
  auto make_transport
    = [executor = result->executor_](const client_options& x,
                                     client_transport::listener& listener) {
        return make_client_transport(executor, x, listener);
      };
  result->bring_home(options);
  result->link_ = std::make_shared<client_link>(
    std::move(options), std::move(handlers),
    client_link::surroundings{[] { return clock::now(); }, even_random(),
                              std::move(make_transport), std::move(ended),
                              std::move(arm)});
  return result;
}

void client_core::bring_home(client_options& options) {
  if (!options.get_token)
    return;
  options.get_token = [get = std::move(options.get_token),
                       weak = weak_from_this()](token_reason why,
                                                token_handler done) {
    get(why, [weak, done = std::move(done)](caf::expected<std::string> x) {
      if (auto self = weak.lock())
        self->post([done, x = std::move(x)](client_core&) { done(x); });
    });
  };
}

void client_core::post(std::function<void(client_core&)> f) {
  asio::post(executor_, [self = shared_from_this(), f = std::move(f)] {
    f(*self);
    self->arm();
  });
}

void client_core::drop() {
  timer_.cancel();
  armed_.reset();
  link_->drop();
}

void client_core::arm() {
  auto next = link_->next_deadline();
  if (!next) {
    timer_.cancel();
    armed_.reset();
    return;
  }
  if (armed_ && *armed_ <= *next)
    return;
  armed_ = next;
  timer_.expires_at(*next);
  timer_.async_wait([weak = weak_from_this()](const error_code& ec) {
    auto self = weak.lock();
    if (ec || !self)
      return;
    self->armed_.reset();
    self->link_->expire();
    self->arm();
  });
}

} // namespace callboard::net
