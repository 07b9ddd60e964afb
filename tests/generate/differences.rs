//! What keyside does otherwise than Redis 7.2 on purpose: COMPATIBILITY.md lists it, and the differential runs accept
//! nothing that is not in it.

/// What is as in Redis 7.2 and otherwise than the test suite of Redis 7.0 expects: the unit, what it asserts, what is so.
pub const NEWER: &[(&str, &str, &str)] = &[
    (
        "type/stream-cgroups",
        "XREADGROUP that waits is refused with `UNBLOCKED the stream key no longer exists` when the key goes or changes its type",
        "it is run again, and answers `NOGROUP` or `WRONGTYPE`",
    ),
    (
        "type/stream-cgroups",
        "a consumer is made only when there is an entry for it",
        "XREADGROUP, XCLAIM and XAUTOCLAIM make it whether or not they find an entry",
    ),
    (
        "networking",
        "the default of `bind` is `* -::*`, and strangers are told that they are (two tests)",
        "without `bind`, strangers are not listened to, see Network above",
    ),
    (
        "maxmemory",
        "`client tracking don't cause eviction feedback loop`: at most fifty keys go to make room for forty of a kilobyte",
        "the names of sixteen candidates take room, too, see Eviction above",
    ),
    (
        "client-eviction",
        "`avoid client eviction when client is freed by output buffer limit`: `qbuf` of half a request is as long as its last word",
        "it counts the head of the request, see Client buffers above",
    ),
    (
        "obuf-limits",
        "`HRANDFIELD with huge count stopped mid-run`: the client is closed in the middle of the reply",
        "the reply is refused before it is made, see Client buffers above",
    ),
    (
        "replybufsize",
        "an idle client has a buffer of a kilobyte for replies",
        "it has none, see Client buffers above",
    ),
    (
        "latency-monitor",
        "`expire events are correctly collected`: to free a set of a million members makes everybody wait for 20 ms",
        "nobody waits, so nothing is kept, see LATENCY above",
    ),
    (
        "tracking",
        "all keys that a script was given are tracked as soon as it reads any",
        "the keys are tracked that it reads",
    ),
];

/// What keyside does otherwise: what about, how, and why.
pub const DIFFERENCES: &[(&str, &str, &str)] = &[
    (
        "Version",
        "`INFO` and `HELLO` name Redis 7.2.4; `keyside_version` in `INFO server` is keyside's own.",
        "Clients choose what they send by Redis's version.",
    ),
    (
        "Encodings",
        "`OBJECT ENCODING` follows Redis 7.2: short lists and small sets of texts are `listpack`. SORT leaves a \
         sorted set as it is stored, and a whole number is `int` after INCRBYFLOAT, too. \
         `OBJECT REFCOUNT` shows each small integer as shared.",
        "It is what clients of today expect; `set-max-listpack-entries 0` brings back the sets of 7.0.",
    ),
    (
        "Expiry",
        "Keys go when they are due, found by deadline; nothing is sampled, and `active-expire-effort` does nothing.",
        "A million keys that expire at once are gone within a moment.",
    ),
    (
        "Databases",
        "A key hashes by a seed of the engine's own, so `SCAN`, `KEYS` and `RANDOMKEY` have an order of their own.",
        "No client may choose keys that collide.",
    ),
    (
        "CONFIG",
        "`CONFIG GET` shows every directive of Redis 7.2, and `CONFIG SET` takes what Redis takes; directives about forks, \
         threads, defragmentation, replicas and clusters are kept and shown but do nothing.",
        "Programs read back what they set; there is nothing here that those directives could direct.",
    ),
    (
        "Network",
        "Without `bind`, the server listens on the loopback interface alone; Redis listens everywhere and refuses strangers.",
        "Nobody is reached who was not meant to be. `bind * -::*` is Redis's default.",
    ),
    (
        "ACL LOAD",
        "Clients whose users have changed stay connected, under the new rules, unless their user is gone or they listen to \
         channels that they may not any more.",
        "So does Redis 7.2; 7.0 closed all of them.",
    ),
    (
        "Eviction",
        "The candidates of `maxmemory-policy` are kept with their whole names, sixteen of them at most, which long names make \
         room for like others.",
        "A key is found again by its name alone.",
    ),
    (
        "Client buffers",
        "An idle client has no buffer for replies (`rbs=0`), and `qbuf` counts a request that is not complete with its head. A \
         reply that could not be of any use, as of HRANDFIELD for a billion fields, is refused before it is made, not closed \
         in the middle by `client-output-buffer-limit`.",
        "Memory belongs to what runs.",
    ),
    (
        "LATENCY",
        "What expires or is evicted is freed in slices of at most a thousand keys or a megabyte, so that `expire-cycle` and \
         `eviction-cycle` are hardly ever long enough to be kept.",
        "Nobody waits for it.",
    ),
    (
        "Memory",
        "Word of invalid keys that waits to be sent (`CLIENT TRACKING`) does not count against `maxmemory`.",
        "Otherwise keys would be evicted for what tells of keys that were evicted.",
    ),
    (
        "MIGRATE",
        "Keys are not moved: `NOKEY` when there are none, and otherwise a refusal.",
        "The server connects to no other for a client. `DUMP` and `RESTORE` do the same.",
    ),
    (
        "TLS",
        "TLS 1.2 and 1.3 with rustls: its ciphers are not chosen by `tls-ciphers`, and keys with a passphrase are refused.",
        "There is no cipher among them that one would have to turn off.",
    ),
    (
        "CONFIG SET",
        "`notify-keyspace-events` shows `n` beside `A`.",
        "Redis keeps that class and does not show it; what is shown here can be set again.",
    ),
    (
        "INFO",
        "Fields about forks, replicas, clusters and defragmentation are there and say that nothing happens. `used_memory` \
         is what the process has allocated but for free room inside the store.",
        "Tools look for the fields by name.",
    ),
    (
        "COMMAND DOCS, HELP",
        "The texts are keyside's own, written from its table of commands, and without history.",
        "They describe this server.",
    ),
    (
        "HyperLogLog",
        "A counter that was damaged, as by `SETRANGE`, is refused as a whole; Redis refuses it when it comes across the damage.",
        "What came from outside is checked once, before it is used.",
    ),
    (
        "Distances",
        "What `STOREDIST` stores may differ from Redis's score in the last digit.",
        "Sines are computed here, the same on every machine; Redis takes them from the machine's C library.",
    ),
    (
        "Errors",
        "A request with several mistakes may be refused for another of them than in Redis.",
        "All words are read before anything is looked up or changed.",
    ),
    (
        "Scripts",
        "A script that runs longer than `busy-reply-threshold` is heard to be busy as in Redis, except within a transaction, \
         a coroutine of its own, or a function that sorts or replaces for it: there it runs on, to half a thousand million \
         instructions at most. Commands that wait are let into scripts, as since Redis 7.2, and do not wait. \
         `SCRIPT DEBUG` is refused.",
        "Scripts run in the thread of the server, in an interpreter of their own that can pause only between its instructions.",
    ),
    (
        "Time",
        "`TIME` counts milliseconds, and time stands still within a command, a transaction and a script.",
        "The engine has no clock: whoever runs it says what time it is.",
    ),
];
