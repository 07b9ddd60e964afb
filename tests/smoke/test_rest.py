"""Upstash's REST protocol, through its own client; what it does is in rest.mjs beside this file."""

import os
import subprocess
import unittest

from test_patterns import connect

CLIENT = os.path.join(os.path.dirname(__file__), "rest.mjs")


class Rest(unittest.TestCase):
    def test_an_application_finds_what_it_knows(self):
        redis = connect()
        self.addCleanup(redis.close)
        redis.flushall()
        client = subprocess.run(["node", CLIENT], capture_output=True, text=True, timeout=60)
        self.assertEqual(client.returncode, 0, client.stderr)
        self.assertEqual(redis.get("n"), "3")


if __name__ == "__main__":
    unittest.main()
