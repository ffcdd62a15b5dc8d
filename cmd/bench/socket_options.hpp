#pragma once

namespace callboard::cmd::bench {

/// Has a TCP socket send what it is given at once.
void send_at_once(int socket);

/// Makes both kernels hold little for a TCP socket that is not read: 4 KiB at
/// this end. The other end's goes by the size of segments, and with those of
/// the loopback interface would be megabytes. Call before `connect`.
void hold_little(int socket);

} // namespace callboard::cmd::bench
