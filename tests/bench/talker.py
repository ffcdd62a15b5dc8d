"""A client that knows a few frames, and little enough to stay out of the way.

Its clock is read right before a publication and right behind the event that
comes of it, by one thread.
"""

import socket
import struct

HANDSHAKE = (b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
             b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
             b"Sec-WebSocket-Protocol: callboard.v1.msgpack\r\n"
             b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
SUBSCRIBE, PUBLISH = 8, 10
RESPONSE = 4
SECONDS_MAX = 10


def text(value):
    return b"\xd9" + bytes([len(value)]) + value.encode()


def frame(number, seq_id, subject, payload):
    """Returns a WebSocket message with one frame; its mask changes nothing."""
    body = (bytes([0x95, number]) + b"\xcd" + struct.pack(">H", seq_id) + b"\0"
            + text(subject) + payload)
    length = (bytes([0x80 | len(body)]) if len(body) < 126
              else b"\xfe" + struct.pack(">H", len(body)))
    return b"\x82" + length + b"\0\0\0\0" + body


class Talker:
    """One connection."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port),
                                               SECONDS_MAX)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(HANDSHAKE)
        self.await_bytes(b"incarnation")  # in the welcome

    def close(self):
        self.socket.close()

    def await_bytes(self, wanted):
        """Reads until these bytes have come, and forgets what was read."""
        seen = b""
        while wanted not in seen:
            got = self.socket.recv(65536)
            if not got:
                raise RuntimeError(f"a connection was closed behind {seen!r}")
            seen = seen[-len(wanted):] + got

    def subscribe(self, topic):
        # A seqId that is two bytes long, and found in no other frame.
        self.socket.sendall(frame(SUBSCRIBE, 0xABCD, topic, b"\xc0"))
        self.await_bytes(bytes([RESPONSE]) + b"\xcd\xab\xcd")

    def publish(self, topic, payload):
        self.socket.sendall(frame(PUBLISH, 0, topic, text(payload)))
