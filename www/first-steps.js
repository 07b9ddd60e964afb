// Small sessions that show what people use a store for. Each is a list of lines, typed one after the other here or beside.

/** A line for the connection beside. */
const beside = (line) => ({ beside: line })

export const FIRST_STEPS = [
  {
    name: 'Cache',
    about: 'A value with a time to live.',
    lines: ['SET cache:product:123 "{\\"name\\":\\"Lamp\\"}" EX 60', 'GET cache:product:123', 'TTL cache:product:123'],
  },
  {
    name: 'Session',
    about: 'A hash of fields with a deadline.',
    lines: ['HSET session:abc123 user_id 1 role admin', 'EXPIRE session:abc123 1800', 'HGETALL session:abc123'],
  },
  {
    name: 'Rate limit',
    about: 'A count that expires by itself.',
    lines: ['INCR rate:ada', 'EXPIRE rate:ada 60 NX', 'INCR rate:ada', 'TTL rate:ada'],
  },
  {
    name: 'Leaderboard',
    about: 'A sorted set ranks its members.',
    lines: ['ZADD board 3200 ada 2950 grace 3100 edsger', 'ZINCRBY board 200 grace', 'ZRANGE board 0 2 REV WITHSCORES', 'ZRANK board ada'],
  },
  {
    name: 'Queue',
    about: 'Push at one end, pop at the other.',
    lines: ['RPUSH jobs resize:1 resize:2 mail:7', 'LPOP jobs', 'LRANGE jobs 0 -1'],
  },
  {
    name: 'Lock',
    about: 'Only the first gets it.',
    lines: ['SET lock:report worker-1 NX EX 30', 'SET lock:report worker-2 NX EX 30', 'GET lock:report'],
  },
  {
    name: 'Messages',
    about: 'One subscribes, another publishes.',
    lines: ['SUBSCRIBE news', beside('PUBLISH news "hello from the other side"')],
  },
  {
    name: 'Transaction',
    about: 'Several commands, as one.',
    lines: ['MULTI', 'DECRBY account:ada 30', 'INCRBY account:grace 30', 'EXEC'],
  },
  {
    name: 'Event log',
    about: 'A stream keeps order and time.',
    lines: ['XADD visits * page / user ada', 'XADD visits * page /docs user ada', 'XRANGE visits - +'],
  },
]
