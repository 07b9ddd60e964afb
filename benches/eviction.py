#!/usr/bin/env python3
"""keyside-server beside redis-server as caches: how many reads of the same trace hit when both hold as many keys.

usage: benches/eviction.py target/release/keyside-server [--keys N] [--reads N] [--held PERCENT]

Each read of a trace is a GET, and a SET after a miss. `zipf` draws keys with exponent 0.99; `scan` is the same with every
tenth read going to a key that is never read again. What a key takes differs between the servers, so the memory limit of
each is what it uses with the given share of the keys. Time is slowed: reads are spread so that access clocks of a second
tell them apart.
"""

import argparse
import bisect
import itertools
import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from server import Server

BATCH = 100
VALUE = b"x" * 100


def request(*words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


class Client:
    def __init__(self, server):
        self.replies = (socket := server.connect()).makefile("rb")
        self.send = socket.sendall

    def read(self):
        line = self.replies.readline()
        if line[:1] == b"-":
            raise SystemExit(line.decode())
        if line[:1] != b"$" or line == b"$-1\r\n":
            return None if line == b"$-1\r\n" else line
        return self.replies.read(int(line[1:]) + 2)[:-2]

    def ask(self, *requests):
        self.send(b"".join(request(*words) for words in requests))
        return [self.read() for _ in requests]

    def info(self, field):
        text = self.ask((b"INFO", b"everything"))[0].decode()
        return next(int(line.split(":")[1]) for line in text.splitlines() if line.startswith(field + ":"))


def traces(keys, reads):
    chance = random.Random(1)
    weights = list(itertools.accumulate(1 / rank ** 0.99 for rank in range(1, keys + 1)))
    names = [b"key:%08d" % number for number in chance.sample(range(keys), keys)]
    zipf = [names[bisect.bisect(weights, chance.random() * weights[-1])] for _ in range(reads)]
    scan = [b"key:%08d" % (keys + at) if at % 10 == 0 else name for at, name in enumerate(zipf)]
    return {"zipf": zipf, "scan": scan}


def limit_for(client, held):
    """The memory limit under which a server holds so many keys, as near as a few trials come."""
    empty = client.info("used_memory")
    for at in range(held):
        client.ask((b"SET", b"key:%08d" % at, VALUE))
    each = (client.info("used_memory") - empty) / held
    limit = int(empty + each * held)
    for _ in range(4):
        client.ask((b"FLUSHALL",), (b"CONFIG", b"SET", b"maxmemory", b"%d" % limit))
        for at in range(2 * held):
            client.ask((b"SET", b"key:%08d" % at, VALUE))
        limit += int(each * (held - int(client.ask((b"DBSIZE",))[0][1:])))
    client.ask((b"FLUSHALL",), (b"CONFIG", b"SET", b"maxmemory", b"%d" % limit))
    return limit


def replay(client, trace, seconds):
    """The share of hits in the second half, when the cache is warm."""
    hits, start = 0, time.monotonic()
    for at in range(0, len(trace), BATCH):
        batch = trace[at:at + BATCH]
        found = client.ask(*((b"GET", key) for key in batch))
        missed = {key for key, value in zip(batch, found) if value is None}
        if missed:
            client.ask(*((b"SET", key, VALUE) for key in missed))
        if at >= len(trace) // 2:
            hits += sum(value is not None for value in found)
        time.sleep(max(0, start + seconds * at / len(trace) - time.monotonic()))
    return hits / (len(trace) - len(trace) // 2)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("keyside")
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("--reads", type=int, default=1_000_000)
    parser.add_argument("--held", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=40)
    options = parser.parse_args()
    servers = {"redis": ["redis-server", "--save", ""], "keyside": [options.keyside]}
    held = options.keys * options.held // 100
    for (title, trace), policy in itertools.product(traces(options.keys, options.reads).items(), ["allkeys-lru", "allkeys-lfu"]):
        for name, command in servers.items():
            server = Server(name, command)
            try:
                client = Client(server)
                client.ask((b"CONFIG", b"SET", b"maxmemory-policy", policy.encode()))
                limit = limit_for(client, held)
                ratio = replay(client, trace, options.seconds)
                keys = int(client.ask((b"DBSIZE",))[0][1:])
                print(f"{title:5} {policy:12} {name:8} {100 * ratio:6.2f} % hits  {keys} keys in {limit} bytes", flush=True)
            finally:
                server.end()


if __name__ == "__main__":
    main()
