"""What people use Redis for, through redis-py: one test a pattern, written as an application would write it.

The server is found in REDIS_URL, and emptied before each test.
"""

import os
import threading
import time
import unittest
import uuid

import redis

DEADLINE = 5  # seconds that anything here may take


def connect():
    return redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True, socket_timeout=DEADLINE)


def wait_until(condition):
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("it did not happen in time")
        time.sleep(0.005)


class Patterns(unittest.TestCase):
    def setUp(self):
        self.redis = connect()
        self.addCleanup(self.redis.close)
        self.redis.flushall()

    def another(self):
        other = connect()
        self.addCleanup(other.close)
        return other

    def test_cache_aside(self):
        loads = []

        def product(number):
            key = f"product:{number}"
            cached = self.redis.get(key)
            if cached is None:
                loads.append(number)
                cached = f"product {number}, version {len(loads)}"
                self.redis.set(key, cached, px=100)
            return cached

        self.assertEqual(product(7), "product 7, version 1")
        self.assertEqual(product(7), "product 7, version 1")
        self.assertEqual(loads, [7], "the second time it came from the cache")
        self.assertTrue(0 < self.redis.pttl("product:7") <= 100)
        wait_until(lambda: not self.redis.exists("product:7"))
        self.assertEqual(product(7), "product 7, version 2")
        self.redis.delete("product:7")
        self.assertEqual(product(7), "product 7, version 3")

    def test_rate_limit(self):
        def allowed(user, limit=3):
            with self.redis.pipeline() as pipeline:
                pipeline.incr(f"rate:{user}")
                pipeline.expire(f"rate:{user}", 1, nx=True)
                count, _ = pipeline.execute()
            return count <= limit

        self.assertEqual([allowed("ada") for _ in range(5)], [True, True, True, False, False])
        self.assertTrue(allowed("grace"), "everybody has a limit of their own")
        self.assertEqual(self.redis.ttl("rate:ada"), 1, "more requests do not make the window longer")
        wait_until(lambda: not self.redis.exists("rate:ada"))
        self.assertTrue(allowed("ada"))

    def test_lock(self):
        def acquire(client, px=10_000):
            token = uuid.uuid4().hex
            return token if client.set("lock:report", token, nx=True, px=px) else None

        def release(client, token):
            """Deletes the lock only while it is one's own: WATCH tells when that changes."""
            with client.pipeline() as pipeline:
                try:
                    pipeline.watch("lock:report")
                    if pipeline.get("lock:report") != token:
                        return False
                    pipeline.multi()
                    pipeline.delete("lock:report")
                    return pipeline.execute() == [1]
                except redis.WatchError:
                    return False

        one, other = self.redis, self.another()
        token = acquire(one)
        self.assertIsNotNone(token)
        self.assertIsNone(acquire(other), "held by one")
        self.assertFalse(release(other, "a guess"))
        self.assertEqual(one.get("lock:report"), token)
        self.assertTrue(release(one, token))
        late = acquire(other, px=30)
        self.assertIsNotNone(late, "free again")
        wait_until(lambda: not one.exists("lock:report"))
        token = acquire(one)
        self.assertFalse(release(other, late), "it expired, and belongs to somebody else now")
        self.assertEqual(one.get("lock:report"), token)

    def test_a_change_between_watch_and_exec_fails_the_transaction(self):
        self.redis.set("balance", 10)
        with self.redis.pipeline() as pipeline:
            pipeline.watch("balance")
            balance = int(pipeline.get("balance"))
            self.another().decrby("balance", 4)
            pipeline.multi()
            pipeline.set("balance", balance - 10)
            with self.assertRaises(redis.WatchError):
                pipeline.execute()
        self.assertEqual(self.redis.get("balance"), "6")

    def test_session(self):
        session = f"session:{uuid.uuid4()}"
        self.redis.hset(session, mapping={"user": "ada", "theme": "dark", "visits": 1})
        self.redis.expire(session, 1800)
        self.assertEqual(self.redis.hincrby(session, "visits", 1), 2)
        self.assertEqual(self.redis.hgetall(session), {"user": "ada", "theme": "dark", "visits": "2"})
        self.assertEqual(self.redis.hmget(session, "user", "missing"), ["ada", None])
        self.assertTrue(1790 <= self.redis.ttl(session) <= 1800, "a change of a field keeps the expiry")
        self.redis.hdel(session, "user", "theme", "visits")
        self.assertFalse(self.redis.exists(session), "nothing is left of a hash without fields")

    def test_leaderboard(self):
        self.redis.zadd("board", {"ada": 120, "grace": 340, "alan": 95.5})
        self.assertEqual(self.redis.zincrby("board", 230, "ada"), 350)
        top = self.redis.zrange("board", 0, 1, desc=True, withscores=True)
        self.assertEqual([tuple(pair) for pair in top], [("ada", 350.0), ("grace", 340.0)])
        self.assertEqual(self.redis.zrevrank("board", "alan"), 2)
        self.assertEqual(self.redis.zscore("board", "alan"), 95.5)
        self.assertEqual(self.redis.zcount("board", 100, "+inf"), 2)
        self.redis.zadd("board", {"alan": 90}, gt=True)
        self.assertEqual(self.redis.zscore("board", "alan"), 95.5, "only a better score counts")

    def test_queue(self):
        """Jobs are taken in order, and kept in a list of their worker until they are done."""
        producer, worker = self.redis, self.another()
        for number in range(3):
            producer.lpush("jobs", f"job {number}")
        self.assertEqual(worker.lmove("jobs", "jobs:worker", "RIGHT", "LEFT"), "job 0")
        self.assertEqual(worker.lmove("jobs", "jobs:worker", "RIGHT", "LEFT"), "job 1")
        self.assertEqual(worker.lrem("jobs:worker", 1, "job 0"), 1)
        self.assertEqual(producer.lrange("jobs:worker", 0, -1), ["job 1"], "what a crash would leave")
        self.assertEqual(producer.llen("jobs"), 1)
        worker.lmove("jobs:worker", "jobs", "RIGHT", "RIGHT")
        self.assertEqual(producer.rpop("jobs", 5), ["job 1", "job 2"])
        self.assertIsNone(worker.lmove("jobs", "jobs:worker", "RIGHT", "LEFT"))

    def test_publish_and_subscribe(self):
        received, ready = [], threading.Event()

        def listen(client):
            with client.pubsub() as channel:
                channel.subscribe("news")
                channel.psubscribe("news.*")
                for message in channel.listen():
                    if message["type"] == "psubscribe":
                        ready.set()
                    if message["type"] in ("message", "pmessage"):
                        received.append((message["channel"], message["data"]))
                    if message["data"] == "goodbye":
                        return

        listener = threading.Thread(target=listen, args=[self.another()], daemon=True)
        listener.start()
        self.assertTrue(ready.wait(DEADLINE))
        self.assertEqual(self.redis.publish("news", "hello"), 1)
        self.assertEqual(self.redis.publish("weather", "sunny"), 0)
        self.assertEqual(self.redis.publish("news.local", "goodbye"), 1)
        listener.join(DEADLINE)
        self.assertFalse(listener.is_alive())
        self.assertEqual(received, [("news", "hello"), ("news.local", "goodbye")])

    def test_many_clients_count_together(self):
        def count(client):
            for _ in range(200):
                client.incr("visits")

        threads = [threading.Thread(target=count, args=[self.another()]) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(DEADLINE)
        self.assertEqual(self.redis.get("visits"), "1000")


if __name__ == "__main__":
    unittest.main()
