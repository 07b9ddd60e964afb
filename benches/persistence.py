#!/usr/bin/env python3
"""keyside-server beside redis-server, in one run: loading the same files, writing a snapshot under load, and what syncing costs.

usage: benches/persistence.py target/release/keyside-server [--gigabytes N] [--keys N] [--only load|snapshot|sync]

Files are of all kinds of values, small and large, and of text that hardly compresses. Times are those of the processes, wall and
processor; runs of both servers alternate. The table goes to benches/records, with date and machine. `load` needs three times
the size of the files on the disk under TMPDIR.
"""

import argparse
import base64
import datetime
import itertools
import pathlib
import platform
import random
import re
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time

from server import RECORDS, Server, encode

CHANCE = random.Random(7)
POOL = base64.b64encode(CHANCE.randbytes(1 << 20)).decode()
PART = "appendonly.aof.1.incr.aof"


def text(length):
    start = CHANCE.randrange(len(POOL) - length)
    return POOL[start : start + length]


def requests(limit):
    """Requests for a mixed store until they are so many bytes."""
    written, number = 0, 0
    while written < limit:
        number += 1
        yield from (make(number) for make in MAKERS)
        written += sum(len(make(number)) for make in MAKERS) if number == 1 else AVERAGE


def small_hash(i):
    return encode("HSET", f"hash:{i}", *itertools.chain(*((f"field:{n}", text(24)) for n in range(8))))


MAKERS = [
    lambda i: encode("SET", f"text:{i}", text(CHANCE.randrange(40, 200))),
    lambda i: encode("SET", f"text:{i}:b", text(64)),
    lambda i: encode("SET", f"number:{i}", str(CHANCE.randrange(1 << 40))),
    lambda i: encode("SET", f"expiring:{i}", text(64), "PXAT", str(4_000_000_000_000 + i)),
    small_hash,
    lambda i: encode("RPUSH", f"list:{i}", *(text(20) for _ in range(8))),
    lambda i: encode("SADD", f"set:{i}", *(text(12) for _ in range(6))),
    lambda i: encode("SADD", f"integers:{i}", *(str(CHANCE.randrange(1 << 30)) for _ in range(8))),
    lambda i: encode("ZADD", f"sorted:{i}", *itertools.chain(*((str(n * 1.5), text(12)) for n in range(6)))),
    lambda i: encode("HSET", f"large-hash:{i >> 14}", f"f:{i}", text(30)),
    lambda i: encode("ZADD", f"large-sorted:{i >> 14}", str(CHANCE.random()), f"m:{i}"),
    lambda i: encode("SADD", f"large-set:{i >> 14}", f"m:{i}"),
    lambda i: encode("RPUSH", f"large-list:{i >> 14}", text(30)),
]
AVERAGE = sum(len(make(123_456)) for make in MAKERS)


def write_log(folder, size):
    """An append-only file of so many bytes."""
    parts = folder / "appendonlydir"
    parts.mkdir()
    (parts / "appendonly.aof.manifest").write_text(f"file {PART} seq 1 type i\n")
    with open(parts / PART, "wb") as log:
        log.writelines(requests(size))
    return (parts / PART).stat().st_size


def timed_start(command, folder):
    """Seconds until a server has loaded what is in a folder: by its own log, and of its processor time."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "log"
    log.unlink(missing_ok=True)
    arguments = [*command, "--port", str(port), "--dir", str(folder), "--logfile", str(log), "--save", ""]
    process = subprocess.Popen(arguments)
    try:
        for _ in range(6000):
            found = log.exists() and re.search(r"DB loaded from (?:disk|append only file): ([\d.]+) sec", log.read_text())
            if found:
                tasks = pathlib.Path(f"/proc/{process.pid}/task").glob("*/schedstat")
                return float(found[1]), sum(int(task.read_text().split()[0]) for task in tasks) / 1e9, port
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        raise SystemExit(f"{command[0]} does not end loading")
    finally:
        if not (folder / "dump.rdb").exists() and found:
            client = ["redis-cli", "-p", str(port), "save"]
            subprocess.run(client, check=True, stdout=subprocess.DEVNULL, timeout=600)
        process.kill()
        process.wait()


def compare_loading(commands, gigabytes, rounds):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="keyside-bench-"))
    try:
        size = write_log(folder, int(gigabytes * (1 << 30)))
        redis = commands[1][1]
        timed_start([*redis, "--appendonly", "yes"], folder)  # It writes the snapshot.
        sizes = {"yes": size, "no": (folder / "dump.rdb").stat().st_size}
        yield "loading, in seconds: wall, and processor time"
        yield "".join(f"{name:>14}" for name in ["", "bytes", "keyside", "redis", "ratio", "keyside", "redis", "ratio"])
        for kind, appends in [("RDB", "no"), ("AOF", "yes")]:
            times = {name: [] for name, _ in commands}
            for _ in range(rounds):
                for name, command in commands:
                    times[name].append(timed_start([*command, "--appendonly", appends], folder)[:2])
            row = f"{kind:>14}{sizes[appends]:14}"
            for index in range(2):
                ours, theirs = (statistics.median(time[index] for time in times[name]) for name, _ in commands)
                row += f"{ours:14.2f}{theirs:14.2f}{ours / theirs:14.2f}"
            yield row
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Writer(threading.Thread):
    """Writes random keys as fast as a server takes them, and notes how long answers take."""

    def __init__(self, server, keys, batch=64):
        super().__init__(daemon=True)
        self.connection, self.keys, self.batch = server.connect(), keys, batch
        self.chance, self.done, self.times = random.Random(1), False, []

    def run(self):
        value = "w" * 64
        while not self.done:
            keys = (self.chance.randrange(self.keys) for _ in range(self.batch))
            request = b"".join(encode("SET", f"key:{key:012}", value) for key in keys)
            began = time.perf_counter()
            self.connection.sendall(request)
            replies = 0
            while replies < self.batch * 5:
                replies += len(self.connection.recv(1 << 16))
            self.times.append((began, time.perf_counter() - began))


def run_redis_benchmark(server, keys, seconds):
    """Requests a second of processor-bound clients for a while."""
    client = ["redis-benchmark", "-p", str(server.port), "-q", "-n", "100000000", "-c", "50", "-P", "16"]
    client += ["-r", str(keys), "-d", "64", "SET", "key:__rand_int__", "w" * 64]
    before, began = processed(server), time.perf_counter()
    process = subprocess.Popen(client, stdout=subprocess.DEVNULL)
    time.sleep(seconds)
    rate = (processed(server) - before) / (time.perf_counter() - began)
    return process, rate


def ask(server, *words):
    with server.connect() as connection:
        connection.sendall(encode(*words))
        reply = connection.recv(1 << 16)
        while reply[:1] == b"$" and len(reply) < int(reply[1 : reply.index(b"\r\n")]):
            reply += connection.recv(1 << 16)
        return reply.decode()


def info(server, name):
    return int(re.search(rf"{name}:(\d+)", ask(server, "INFO", "all"))[1])


def processed(server):
    return info(server, "total_commands_processed")


def children(server):
    """Bytes that only children of the server have."""
    total = 0
    for child in pathlib.Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split():
        try:
            rollup = pathlib.Path(f"/proc/{child}/smaps_rollup").read_text()
            total += 1024 * int(re.search(r"Private_Dirty:\s+(\d+)", rollup)[1])
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total


def snapshot_under_load(server, keys):
    """Throughput before and during BGSAVE, what BGSAVE takes, and the longest answers."""
    fill_keys(server, keys)
    used = server.resident()
    client, before = run_redis_benchmark(server, keys, 8)
    slow_before = info(server, "total_commands_processed")
    began, peak = time.perf_counter(), used
    assert "saving started" in ask(server, "BGSAVE")
    pauses, probe = [], server.connect()
    while True:
        sent = time.perf_counter()
        probe.sendall(b"PING\r\n")
        probe.recv(100)
        pauses.append(time.perf_counter() - sent)
        if len(pauses) % 50 == 0:
            peak = max(peak, server.resident() + children(server))
            if info(server, "rdb_bgsave_in_progress") == 0:
                break
        time.sleep(0.002)
    took = time.perf_counter() - began
    during = (processed(server) - slow_before) / took
    client.kill()
    client.wait()
    return before, during, took, peak / used - 1, max(pauses) * 1000


def fill_keys(server, keys, batch=10_000):
    with server.connect() as connection:
        for start in range(0, keys, batch):
            connection.sendall(b"".join(encode("SET", f"key:{i:012}", "v" * 64) for i in range(start, start + batch)))
            replies = 0
            while replies < 5 * batch:
                replies += len(connection.recv(1 << 20))


def compare_snapshots(commands, keys):
    yield f"BGSAVE of {keys} keys of 64 bytes while 50 clients write"
    names = ["", "SET/s before", "SET/s during", "drop", "seconds", "memory", "worst PING ms"]
    yield "".join(f"{name:>14}" for name in names)
    for name, command in commands:
        server = Server(name, [*command, "--save", ""])
        try:
            before, during, took, extra, pause = snapshot_under_load(server, keys)
            yield f"{name:>14}{before:14.0f}{during:14.0f}{1 - during / before:14.1%}{took:14.2f}{extra:14.1%}{pause:14.2f}"
        finally:
            server.end()


def compare_syncing(commands, rounds, count=1_000_000):
    yield "processor time a SET, pipeline 16, in microseconds, by what is logged"
    yield "".join(f"{name:>14}" for name in ["", "nothing", "everysec", "ratio"])
    for name, command in commands:
        servers = [
            Server(name, [*command, "--save", "", "--appendonly", appends, "--auto-aof-rewrite-percentage", "0"])
            for appends in ("no", "yes")
        ]
        times = [[], []]
        try:
            for _ in range(rounds):
                for server, taken in zip(servers, times):
                    before = server.cpu_us()
                    client = ["redis-benchmark", "-p", str(server.port), "-q", "-n", str(count), "-c", "50", "-P", "16"]
                    client += ["-d", "64", "-r", "100000", "-t", "set"]
                    subprocess.run(client, check=True, stdout=subprocess.DEVNULL, timeout=300)
                    taken.append((server.cpu_us() - before) / count)
            without, logged = map(statistics.median, times)
            yield f"{name:>14}{without:14.3f}{logged:14.3f}{logged / without:14.2f}"
        finally:
            for server in servers:
                server.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("keyside")
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--keys", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["load", "snapshot", "sync"])
    options = parser.parse_args()
    commands = [("keyside", [options.keyside]), ("redis", ["redis-server"])]
    tables = {
        "load": compare_loading(commands, options.gigabytes, options.rounds),
        "snapshot": compare_snapshots(commands, options.keys),
        "sync": compare_syncing(commands, options.rounds),
    }
    chosen = [tables[options.only]] if options.only else tables.values()
    machine = next(line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name"))
    version = subprocess.run(["redis-server", "--version"], capture_output=True, text=True).stdout.split()[2]
    today = datetime.date.today().isoformat()
    RECORDS.mkdir(exist_ok=True)
    header = f"{today}, {machine}, {platform.system()} {platform.machine()}, beside redis-server {version}"
    with open(RECORDS / f"{today}-persistence.txt", "a" if options.only else "w") as record:
        for lines in itertools.chain([[header]], chosen):
            for line in itertools.chain(lines, [""]):
                print(line, flush=True)
                print(line, file=record, flush=True)


if __name__ == "__main__":
    main()
