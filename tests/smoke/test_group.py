"""One stream, consumed as a group through redis-py and ioredis; one of the consumers is killed with work in its hands.

The server is found in REDIS_URL, and emptied first. The consumers through ioredis are consumer.mjs beside this file.
"""

import os
import subprocess
import threading
import unittest
from collections import Counter

from test_patterns import connect, wait_until

ENTRIES = 300
CONSUMER = os.path.join(os.path.dirname(__file__), "consumer.mjs")


class Group(unittest.TestCase):
    def setUp(self):
        self.redis = connect()
        self.addCleanup(self.redis.close)
        self.redis.flushall()
        self.redis.xgroup_create("work", "g", id="0", mkstream=True)

    def start(self, *arguments):
        process = subprocess.Popen(["node", CONSUMER, *arguments], stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def consume(self, name):
        """What consumer.mjs does, through redis-py."""
        client = connect()
        while not client.exists("over"):
            entries = [entry for _, some in client.xreadgroup("g", name, {"work": ">"}, count=5, block=100) for entry in some]
            entries += client.xautoclaim("work", "g", name, min_idle_time=200, count=5)[1]
            with client.pipeline(transaction=True) as transaction:
                for number, _ in entries:
                    transaction.xack("work", "g", number)
                    transaction.rpush("done", f"{number} {name}")
                transaction.execute()
        client.close()

    def test_what_a_killed_consumer_held_is_taken_over(self):
        numbers = [self.redis.xadd("work", {"n": n}) for n in range(ENTRIES // 2)]
        dropper = self.start("dropper", "drop")
        self.assertEqual(dropper.stdout.readline().strip(), "20")
        held = [entry["message_id"] for entry in self.redis.xpending_range("work", "g", "-", "+", 100, "dropper")]
        self.assertEqual(held, numbers[:20])
        dropper.kill()

        node = self.start("node")
        python = threading.Thread(target=self.consume, args=["python"])
        python.start()
        self.addCleanup(python.join)
        self.addCleanup(self.redis.set, "over", "yes")
        wait_until(lambda: "node" in {it["name"] for it in self.redis.xinfo_consumers("work", "g")})
        numbers += [self.redis.xadd("work", {"n": n}) for n in range(ENTRIES // 2)]
        wait_until(lambda: self.redis.llen("done") >= ENTRIES)
        self.redis.set("over", "yes")
        python.join()
        self.assertEqual(node.wait(timeout=5), 0)

        done = [line.split() for line in self.redis.lrange("done", 0, -1)]
        self.assertEqual(Counter(number for number, _ in done), Counter(numbers), "each was done once")
        self.assertEqual({name for _, name in done}, {"node", "python"}, "both worked")
        self.assertEqual(self.redis.xpending("work", "g")["pending"], 0)


if __name__ == "__main__":
    unittest.main()
