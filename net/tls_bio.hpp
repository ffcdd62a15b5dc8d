#pragma once

#include <string>
#include <string_view>

struct bio_st;

namespace callboard::net {

/// What passes between OpenSSL and a socket, whose system calls are ours: what
/// OpenSSL reads comes from `input`, and what it writes gathers in `output`,
/// which never refuses. So OpenSSL never has to be shown the same bytes twice,
/// and one system call carries several records. There is one for each thread:
/// it is empty between the turns of two connections.
struct tls_buffers {
  /// What was received and not read yet.
  std::string_view input;
  /// What is to be sent.
  std::string output;
};

/// Returns those of this thread.
tls_buffers& this_thread_tls_buffers();

/// Makes the way from OpenSSL to the `tls_buffers` of the thread that calls it.
/// @returns an owned BIO, or null where there is no memory.
bio_st* make_tls_bio();

} // namespace callboard::net
