#!/usr/bin/env python3
"""keyside-server beside redis-server, in one run: processor time a request, and resident bytes a key.

usage: benches/server.py target/release/keyside-server [--rounds N] [--keys N]

Rounds of both servers alternate, so that whatever slows the machine slows both, and medians are compared. Processor time
is the scheduler's own count for all threads of a server; the client saturates long before a server does, so throughput
would measure the client. The table goes to benches/records, with date and machine.
"""

import argparse
import datetime
import itertools
import pathlib
import platform
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

TESTS = "set,get,incr,lpush,rpop,sadd,hset,zadd".split(",")
REQUESTS = {1: 60_000, 16: 400_000, 50: 600_000}
RECORDS = pathlib.Path(__file__).parent / "records"


class Server:
    """A server on a free port, with an empty store and nothing on disk."""

    def __init__(self, name, command):
        self.name, self.directory = name, tempfile.mkdtemp(prefix="keyside-bench-")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        arguments = [*command, "--port", str(self.port), "--dir", self.directory]
        self.process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.connect().close()

    def connect(self):
        for _ in range(200):
            try:
                return socket.create_connection(("127.0.0.1", self.port), 10)
            except OSError:
                time.sleep(0.05)
        raise SystemExit(f"{self.name} does not answer")

    def cpu_us(self):
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1000

    def resident(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024

    def end(self):
        self.process.terminate()
        self.process.wait(10)
        shutil.rmtree(self.directory, ignore_errors=True)


def load(server, test, pipeline):
    """Microseconds of the server's processor time for a request of `test`."""
    requests, before = REQUESTS[pipeline], server.cpu_us()
    client = ["redis-benchmark", "-p", str(server.port), "-q", "-n", str(requests), "-c", "50", "-P", str(pipeline)]
    subprocess.run([*client, "-d", "64", "-r", "100000", "-t", test], check=True, stdout=subprocess.DEVNULL, timeout=120)
    return (server.cpu_us() - before) / requests


def compare_load(commands, rounds):
    servers = [Server(*command) for command in commands]
    try:
        for pipeline in REQUESTS:
            yield f"processor time a request, pipeline {pipeline}, in microseconds"
            yield "".join(f"{name:>12}" for name in ["", "keyside", "redis", "ratio"])
            for test in TESTS:
                times = {server.name: [] for server in servers}
                for _ in range(rounds):
                    for server in servers:
                        times[server.name].append(load(server, test, pipeline))
                ours, theirs = (statistics.median(times[server.name]) for server in servers)
                yield f"{test:>12}{ours:12.3f}{theirs:12.3f}{ours / theirs:12.2f}"
    finally:
        for server in servers:
            server.end()


def encode(*words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in map(str.encode, words))


DATA = {
    "8 B integer": lambda i: encode("SET", f"key:{i:012}", str(10_000_000 + i)),
    "64 B value": lambda i: encode("SET", f"key:{i:012}", "v" * 64),
    "64 B, expiring": lambda i: encode("SET", f"key:{i:012}", "v" * 64, "EX", "100000"),
}


def fill(server, make, keys, batch=5000):
    """Resident bytes a key."""
    before = server.resident()
    with server.connect() as connection:
        for start in range(0, keys, batch):
            count = min(batch, keys - start)
            connection.sendall(b"".join(make(start + i) for i in range(count)))
            replies = b""
            while replies.count(b"\r\n") < count:
                replies += connection.recv(1 << 20)
            assert replies == b"+OK\r\n" * count, replies[:100]
    return (server.resident() - before) / keys


def compare_memory(commands, keys):
    yield f"resident bytes a key of 16 bytes, {keys} keys"
    yield "".join(f"{name:>16}" for name in ["", "keyside", "redis"])
    for name, make in DATA.items():
        row = f"{name:>16}"
        for command in commands:
            server = Server(*command)
            try:
                row += f"{fill(server, make, keys):16.1f}"
            finally:
                server.end()
        yield row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("keyside")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keys", type=int, default=1_000_000)
    options = parser.parse_args()
    commands = [("keyside", [options.keyside]), ("redis", ["redis-server", "--save", "", "--appendonly", "no"])]
    machine = next(line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name"))
    version = subprocess.run(["redis-server", "--version"], capture_output=True, text=True).stdout.split()[2]
    today = datetime.date.today().isoformat()
    RECORDS.mkdir(exist_ok=True)
    header = f"{today}, {machine}, {platform.system()} {platform.machine()}, beside redis-server {version}"
    with open(RECORDS / f"{today}-server.txt", "w") as record:
        for lines in [[header], compare_load(commands, options.rounds), compare_memory(commands, options.keys)]:
            for line in itertools.chain(lines, [""]):
                print(line, flush=True)
                print(line, file=record)


if __name__ == "__main__":
    main()
