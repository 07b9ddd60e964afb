#!/usr/bin/env python3
"""keyside-server at its memory limit: writes at full speed, how much memory is in use, and how long anybody waits.

usage: benches/maxmemory.py target/release/keyside-server [--seconds N] [--limit MB] [--redis]

Two connections set random keys to values of 1 KB, sixteen at a time, under allkeys-lru. Beside them somebody asks for
INFO memory and somebody sends PING, one after the other. What a PING waits for includes what the machine does meanwhile;
what the server itself did for too long is in its LATENCY and its SLOWLOG. With --redis, redis-server is asked the same.
"""

import argparse
import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from eviction import Client
from server import Server, encode

VALUE = "x" * 1024
KEYS = 2_000_000
BATCH = 16


def write(server, until, written):
    chance, count = random.Random(threading.get_ident()), 0
    with server.connect() as connection:
        while time.monotonic() < until:
            connection.sendall(b"".join(encode("SET", f"key:{chance.randrange(KEYS)}", VALUE) for _ in range(BATCH)))
            replies = b""
            while replies.count(b"\r\n") < BATCH:
                replies += connection.recv(1 << 16)
            assert replies == b"+OK\r\n" * BATCH, replies[:100]
            count += BATCH
    written.append(count)


def ping(server, until, waits):
    with server.connect() as connection:
        while time.monotonic() < until:
            start = time.perf_counter()
            connection.sendall(b"PING\r\n")
            assert connection.recv(7) == b"+PONG\r\n"
            waits.append(time.perf_counter() - start)
            time.sleep(0.001)


def measure(name, command, seconds, limit):
    server = Server(name, command)
    try:
        client = Client(server)
        for directive in ["maxmemory %d" % limit, "maxmemory-policy allkeys-lru", "latency-monitor-threshold 1", "slowlog-log-slower-than 1000"]:
            client.ask((b"CONFIG", b"SET", *directive.encode().split()))
        until, written, waits, used = time.monotonic() + seconds, [], [], []
        threads = [threading.Thread(target=write, args=(server, until, written)) for _ in range(2)]
        threads.append(threading.Thread(target=ping, args=(server, until, waits)))
        for thread in threads:
            thread.start()
        while time.monotonic() < until:
            used.append(client.info("used_memory"))
            time.sleep(0.01)
        for thread in threads:
            thread.join()
        waits.sort()
        print(f"{name}: {sum(written)} writes of 1 KB in {seconds} s, {client.info('evicted_keys')} keys evicted")
        print(f"  used_memory at most {max(used)} of {limit} bytes: {100 * max(used) / limit - 100:+.2f} %")
        print(f"  PING waits {1000 * waits[len(waits) * 99 // 100]:.2f} ms (p99), {1000 * waits[-1]:.2f} ms at most, {sum(it > 0.005 for it in waits)} of {len(waits)} more than 5 ms")
        print(f"  took 1 ms or longer in the server: {client.ask((b'SLOWLOG', b'LEN'))[0][1:].decode().strip()} commands; by event, longest in ms: {longest(server)}", flush=True)
    finally:
        server.end()


def longest(server):
    """What LATENCY kept: each event and its longest."""
    with server.connect() as connection:
        connection.sendall(b"LATENCY LATEST\r\n")
        words = connection.recv(1 << 16).split(b"\r\n")
    names = [at for at, word in enumerate(words) if word.startswith(b"$")]
    return {words[at + 1].decode(): int(words[at + 4][1:]) for at in names} or "none"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("keyside")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--limit", type=int, default=256)
    parser.add_argument("--redis", action="store_true")
    options = parser.parse_args()
    measure("keyside", [options.keyside, "--save", ""], options.seconds, options.limit << 20)
    if options.redis:
        measure("redis", ["redis-server", "--save", ""], options.seconds, options.limit << 20)


if __name__ == "__main__":
    main()
