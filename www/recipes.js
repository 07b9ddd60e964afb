// Small sessions that show what people use a store for. Each is a list of lines, typed one after the other.

export const RECIPES = [
  {
    name: 'Cache with a time to live',
    about: 'SET … EX, and the key is gone when its time has come',
    lines: ['SET cache:product:123 "{\\"name\\":\\"iPhone\\"}" EX 60', 'GET cache:product:123', 'TTL cache:product:123'],
  },
  {
    name: 'Rate limit',
    about: 'INCR a window, let it expire',
    lines: ['INCR rate:ada:1200', 'EXPIRE rate:ada:1200 60 NX', 'INCR rate:ada:1200', 'TTL rate:ada:1200'],
  },
  {
    name: 'Lock',
    about: 'SET … NX EX: only the first gets it',
    lines: ['SET lock:report worker-1 NX EX 30', 'SET lock:report worker-2 NX EX 30', 'GET lock:report'],
  },
  {
    name: 'Session',
    about: 'a hash with a deadline',
    lines: ['HSET session:abc123 user_id 1 role admin', 'HGETALL session:abc123', 'EXPIRE session:abc123 1800'],
  },
  {
    name: 'Leaderboard',
    about: 'a sorted set ranks itself',
    lines: ['ZADD board 3200 ada 2950 grace 3100 edsger', 'ZINCRBY board 200 grace', 'ZRANGE board 0 2 REV WITHSCORES', 'ZREVRANK board ada'],
  },
  {
    name: 'Queue',
    about: 'push at one end, pop at the other',
    lines: ['RPUSH jobs resize:1 resize:2 mail:7', 'LLEN jobs', 'LPOP jobs', 'LRANGE jobs 0 -1'],
  },
  {
    name: 'Event log',
    about: 'a stream keeps order and time',
    lines: ['XADD visits * page / user ada', 'XADD visits * page /docs user ada', 'XLEN visits', 'XRANGE visits - +'],
  },
]
