"""Compares the bytes in docs/write-a-client.md with the golden vectors.

Usage: write_a_client.py
"""

import json
import re
import unittest

from program_help import TOP

PAGE = TOP / "docs/write-a-client.md"
VECTORS = TOP / "tests/wire/frames.json"
# Bytes, with a space between some of them, and what they mean.
LINE = re.compile(r"((?:[0-9a-f]{2})+(?: (?:[0-9a-f]{2})+)*)(?:  +\S.*)?")


def blocks():
    """Returns the text of each block of bytes."""
    return re.findall(r"^```hex\n(.*?)^```", PAGE.read_text(encoding="utf-8"),
                      re.M | re.S)


def bytes_of(block):
    """Returns the bytes of a block, in hexadecimal."""
    return "".join(LINE.fullmatch(line)[1].replace(" ", "")
                   for line in block.splitlines())


class WriteAClient(unittest.TestCase):
    def test_the_bytes_are_golden_vectors(self):
        known = {vector.get("msgpack_hex"): vector["name"]
                 for vector in json.loads(VECTORS.read_text(encoding="utf-8"))}
        self.assertGreaterEqual(len(blocks()), 10)
        for block in blocks():
            with self.subTest(block=block):
                self.assertIn(bytes_of(block), known)

    def test_the_lines_of_json_are_golden_vectors(self):
        known = {vector.get("json")
                 for vector in json.loads(VECTORS.read_text(encoding="utf-8"))}
        lines = re.findall(r'^\{"type".*$', PAGE.read_text(encoding="utf-8"),
                           re.M)
        self.assertTrue(lines)
        for line in lines:
            self.assertIn(line, known)


if __name__ == "__main__":
    unittest.main()
