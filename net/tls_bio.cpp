#include <callboard/net/tls_bio.hpp>

#include <memory>

#include <openssl/bio.h>

namespace callboard::net {

namespace {

int read_input(BIO* bio, char* out, size_t size, size_t* n) {
  auto& input = this_thread_tls_buffers().input;
  BIO_clear_retry_flags(bio);
  *n = input.copy(out, size);
  input.remove_prefix(*n);
  if (*n > 0)
    return 1;
  BIO_set_retry_read(bio);
  return 0;
}

int write_output(BIO*, const char* bytes, size_t size, size_t* n) {
  this_thread_tls_buffers().output.append(bytes, size);
  *n = size;
  return 1;
}

long control(BIO*, int what, long, void*) {
  return what == BIO_CTRL_FLUSH ? 1 : 0;
}

struct free_method {
  void operator()(BIO_METHOD* x) const noexcept {
    BIO_meth_free(x);
  }
};

const BIO_METHOD* method() {
  static const std::unique_ptr<BIO_METHOD, free_method> made = [] {
    std::unique_ptr<BIO_METHOD, free_method> result{BIO_meth_new(
      BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "callboard buffers")};
    BIO_meth_set_read_ex(result.get(), read_input);
    BIO_meth_set_write_ex(result.get(), write_output);
    BIO_meth_set_ctrl(result.get(), control);
    return result;
  }();
  return made.get();
}

} // namespace

tls_buffers& this_thread_tls_buffers() {
  thread_local tls_buffers buffers;
  return buffers;
}

bio_st* make_tls_bio() {
  auto* result = BIO_new(method());
  if (result != nullptr)
    BIO_set_init(result, 1);
  return result;
}

} // namespace callboard::net
