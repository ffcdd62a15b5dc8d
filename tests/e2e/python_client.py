#!/usr/bin/python3
"""A client in Python on websockets and msgpack, written from protocol.md.

Usage: python_client.py [PROGRAM]; without one, CALLBOARD_PROGRAM says which.
"""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import msgpack
import websockets

PROGRAM = sys.argv[1] if len(sys.argv) > 1 else os.environ["CALLBOARD_PROGRAM"]
PATIENCE_S = 10 * float(os.environ.get("CALLBOARD_TEST_SLOWNESS", "1"))

WELCOME, REQUEST, RESPONSE, ERROR = 2, 3, 4, 5
SUBSCRIBE, UNSUBSCRIBE, PUBLISH, EVENT, REGISTER = 8, 9, 10, 11, 15
OFFSET, SENDER, CODE, PATTERN = 1, 6, 8, 11


class Server:
    """One `callboard serve` process on a free port."""

    def __init__(self):
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("CALLBOARD_")}
        environment["CALLBOARD_ADMIN"] = "none"
        environment["CALLBOARD_LOAD_HIGH"] = "0"
        self.log = tempfile.TemporaryFile(mode="w+")
        self.process = subprocess.Popen(
            [PROGRAM, "serve", "--listen", "127.0.0.1:0"], env=environment,
            stdout=subprocess.PIPE, stderr=self.log, text=True)
        found = None
        while found is None:
            line = self.process.stdout.readline()
            if not line:
                raise RuntimeError("ended before it listened: " + self.said())
            found = re.search(r"http://[^\s\"]+", line)
        self.url = found[0].replace("http", "ws").rstrip("/") + "/ws"

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
        return self.process.returncode


class Client:
    """A MessagePack connection."""

    def __init__(self, socket):
        self.socket = socket
        self.frames = []
        self.last_seq_id = 0

    async def take(self, wanted):
        """Returns the first frame that fulfils `wanted`, now or later."""
        while True:
            for frame in self.frames:
                if wanted(frame):
                    self.frames.remove(frame)
                    return frame
            message = await asyncio.wait_for(self.socket.recv(), PATIENCE_S)
            unpacker = msgpack.Unpacker(raw=False, strict_map_key=False)
            unpacker.feed(message)
            self.frames.extend(unpacker)

    async def send(self, kind, subject, payload=None, meta=None, seq_id=None):
        if seq_id is None:
            self.last_seq_id += 1
            seq_id = self.last_seq_id
        frame = [kind, seq_id, int(time.time() * 1000), subject, payload]
        await self.socket.send(msgpack.packb(frame + ([meta] if meta else [])))
        return seq_id

    async def call(self, *words):
        seq_id = await self.send(*words)
        return await self.take(
            lambda frame: frame[1] == seq_id and frame[0] in (RESPONSE, ERROR))

    async def of_type(self, kind):
        return await self.take(lambda frame: frame[0] == kind)


class PythonClient(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()

    @classmethod
    def tearDownClass(cls):
        code = cls.server.stop()
        if code != 0:
            raise RuntimeError(f"the server ended with {code}")

    async def asyncSetUp(self):
        self.sockets = []

    async def asyncTearDown(self):
        for socket in self.sockets:
            await socket.close()

    async def open(self, subprotocol):
        socket = await asyncio.wait_for(
            websockets.connect(self.server.url, subprotocols=[subprotocol]),
            PATIENCE_S)
        self.assertEqual(socket.subprotocol, subprotocol)
        self.sockets.append(socket)
        return socket

    async def connect(self):
        client = Client(await self.open("callboard.v1.msgpack"))
        client.welcome = await client.of_type(WELCOME)
        client.id = client.welcome[4]["connection"]
        return client

    async def connect_json(self):
        """Returns a JSON socket, and its welcome."""
        socket = await self.open("callboard.v1.json")
        return socket, json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_S))

    async def test_publish_and_subscribe(self):
        reader, writer = await self.connect(), await self.connect()
        reply = await reader.call(SUBSCRIBE, "python/topic")
        self.assertEqual(reply[4]["offset"], 0)
        await reader.call(SUBSCRIBE, "python/+")
        accepted = await writer.call(PUBLISH, "python/topic", {"text": "grüß dich", "raw": b"\0\xff"})
        self.assertEqual(accepted[4], {"epoch": reply[4]["epoch"], "offset": 1})
        events = [await reader.of_type(EVENT) for _ in range(2)]
        for event in events:
            self.assertEqual(event[3], "python/topic")
            self.assertEqual(event[4], {"text": "grüß dich", "raw": b"\0\xff"})
            self.assertEqual((event[5][OFFSET], event[5][SENDER]), (1, writer.id))
        self.assertCountEqual([event[5].get(PATTERN) for event in events], [None, "python/+"])
        self.assertEqual((await reader.call(UNSUBSCRIBE, "python/topic"))[0], RESPONSE)
        error = await reader.call(UNSUBSCRIBE, "python/topic")
        self.assertEqual((error[0], error[3], error[5][CODE]), (ERROR, "not_subscribed", 400))

    async def test_request_and_respond(self):
        asker, worker = await self.connect(), await self.connect()
        for payload in (None, 1, -1.5, "text", b"bytes", [1, [2]], {"a": {"b": 1}}, 2**64 - 1, -2**63):
            self.assertEqual((await asker.call(REQUEST, "callboard.echo", payload))[4], payload)
        self.assertEqual((await worker.call(REGISTER, "python.add"))[0], RESPONSE)
        seq_id = await asker.send(REQUEST, "python.add", [20, 22])
        asked = await worker.of_type(REQUEST)
        self.assertEqual((asked[3], asked[5][SENDER]), ("python.add", asker.id))
        await worker.send(RESPONSE, "", sum(asked[4]), None, asked[1])
        answer = await asker.of_type(RESPONSE)
        self.assertEqual((answer[1], answer[4]), (seq_id, 42))
        error = await asker.call(REQUEST, "python.nothing")
        self.assertEqual((error[0], error[3], error[5][CODE]), (ERROR, "no_responder", 300))

    async def test_json(self):
        socket, welcome = await self.connect_json()
        self.assertEqual(welcome["type"], "welcome")
        writer = await self.connect()

        async def call(**frame):
            await socket.send(json.dumps(frame))
            return json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_S))

        reply = await call(type="subscribe", seqId=1, subject="python/json")
        self.assertEqual((reply["type"], reply["seqId"]), ("response", 1))
        payload = {"text": "ü", "raw": b"\0\xff", "ext": msgpack.ExtType(5, b"abc"), "map": {1: 2}}
        await writer.call(PUBLISH, "python/json", payload)
        event = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_S))
        self.assertEqual((event["type"], event["subject"]), ("event", "python/json"))
        self.assertEqual((event["meta"]["offset"], event["meta"]["sender"]), (1, writer.id))
        self.assertEqual(event["payload"], {
            "text": "ü", "raw": {"$bin": "AP8="}, "ext": {"$ext": [5, "YWJj"]},
            "map": {"$map": [[1, 2]]}})
        echoed = await call(type="request", seqId=2, subject="callboard.echo", payload=event["payload"])
        self.assertEqual(echoed["payload"], event["payload"])
        error = await call(type="request", seqId=3, subject="python.nothing")
        self.assertEqual((error["type"], error["subject"], error["meta"]["code"]),
                         ("error", "no_responder", 300))

    async def test_many_in_order(self):
        reader, writer = await self.connect(), await self.connect()
        await reader.call(SUBSCRIBE, "python/many")
        for number in range(500):
            await writer.send(PUBLISH, "python/many", number, None, 0)
        for number in range(500):
            event = await reader.of_type(EVENT)
            self.assertEqual((event[4], event[5][OFFSET]), (number, number + 1))


if __name__ == "__main__":
    result = unittest.main(argv=sys.argv[:1], exit=False).result
    if not result.wasSuccessful() and hasattr(PythonClient, "server"):
        print("--- the server's log ---", PythonClient.server.said(), sep="\n", file=sys.stderr)
    sys.exit(0 if result.wasSuccessful() else 1)
