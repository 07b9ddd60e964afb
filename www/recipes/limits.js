// Recipes for who may do what, and how often: rate limits and locks. Data for the view, which runs them.

export const fixedWindow = {
  id: 'fixed-window',
  name: 'Rate limit, fixed window',
  about: 'So many requests a minute, counted.',
  explanation: [
    'One counter for each visitor and each window of time. Its first increment gives it an end; when it has ended, counting begins anew. Both commands travel as one transaction, so no counter is left without an end.',
    'It costs one small key, and is generous at the border of two windows: a visitor can use both at once. The sliding window does not let them.',
  ],
  async run(db, print) {
    const LIMIT = 3
    const WINDOW = 1 // seconds

    function allow(visitor) {
      const key = `rate:${visitor}`
      const [count] = db.multi().incr(key).expire(key, WINDOW, { nx: true }).exec()
      return count <= LIMIT
    }

    for (let i = 1; i <= 5; i++) print(`request ${i}:`, allow('ada') ? 'allowed' : 'refused')
    print('one second later …')
    await new Promise((resolve) => setTimeout(resolve, 1050))
    print('request 6:', allow('ada') ? 'allowed' : 'refused')
  },
  python: `
import redis
r = redis.Redis(decode_responses=True)
LIMIT, WINDOW = 3, 1

def allow(visitor):
    key = f"rate:{visitor}"
    with r.pipeline(transaction=True) as pipe:
        count, _ = pipe.incr(key).expire(key, WINDOW, nx=True).execute()
    return count <= LIMIT

print([allow("ada") for _ in range(5)])`,
  cli: ['MULTI', 'INCR rate:ada', 'EXPIRE rate:ada 60 NX', 'EXEC', 'INCR rate:ada', 'TTL rate:ada'],
}

const SLIDING = `
local key, now, window, limit, id = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
redis.call('ZREMRANGEBYSCORE', key, '-inf', now - window)
if redis.call('ZCARD', key) >= limit then return 0 end
redis.call('ZADD', key, now, id)
redis.call('PEXPIRE', key, window)
return 1`

export const slidingWindow = {
  id: 'sliding-window',
  name: 'Rate limit, sliding window',
  about: 'Never more than so many in any minute.',
  needs: ['EVAL'],
  lua: SLIDING,
  explanation: [
    'A sorted set holds the requests that were allowed, by their time. A script drops those that are too old, counts the others, and adds the new one if there is room. A script runs alone, so two visitors cannot both take the last place.',
    'It is exact for any window, and costs an entry for each request that was allowed.',
  ],
  async run(db, print, script) {
    let id = 0

    function allow(visitor) {
      const [key, window, limit] = [`slide:${visitor}`, 1000, 3]
      return db.call('EVAL', script, 1, key, Date.now(), window, limit, `${Date.now()}-${id++}`) === 1
    }

    db.del('slide:ada')
    for (let i = 1; i <= 6; i++) {
      print(`request ${i}:`, allow('ada') ? 'allowed' : 'refused', `(${db.zcard('slide:ada')} in the last second)`)
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
  },
  python: `
import time, uuid, redis
r = redis.Redis(decode_responses=True)
sliding = r.register_script(SCRIPT)   # the script above

def allow(visitor):
    now = int(time.time() * 1000)
    return sliding(keys=[f"slide:{visitor}"], args=[now, 1000, 3, str(uuid.uuid4())]) == 1

print([allow("ada") for _ in range(5)])`,
  cli: ['DEL slide:ada', ...[1000, 1200, 1400, 1600, 2100].map((now, i) => `EVAL "${oneLine(SLIDING)}" 1 slide:ada ${now} 1000 3 request-${i + 1}`), 'ZRANGE slide:ada 0 -1 WITHSCORES'],
}

const RELEASE = `
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0`

export const lock = {
  id: 'lock',
  name: 'Lock with safe release',
  about: 'One worker at a time, even if one stalls.',
  needs: ['EVAL'],
  lua: RELEASE,
  explanation: [
    'SET with NX lets only the first have the lock; PX frees it when its owner is gone. The value is a token that only the owner knows.',
    'A worker that stalled may come back when the lock is another’s already. So it must not simply delete it: the script deletes it only while the token is its own.',
  ],
  async run(db, print, script) {
    const key = 'lock:report'
    const acquire = (token, px) => db.set(key, token, { nx: true, px }) === 'OK'
    const release = (token) => db.call('EVAL', script, 1, key, token) === 1

    db.del(key)
    print('one acquires:', acquire('token-1', 200))
    print('two acquires:', acquire('token-2', 5000))
    print('one stalls, and its time runs out …')
    await new Promise((resolve) => setTimeout(resolve, 260))
    print('two acquires:', acquire('token-2', 5000))
    print('one comes back and releases:', release('token-1'))
    print('still locked by:', db.get(key))
    print('two releases:', release('token-2'))
  },
  python: `
import uuid, redis
r = redis.Redis(decode_responses=True)
release = r.register_script(SCRIPT)   # the script above

token = str(uuid.uuid4())
if r.set("lock:report", token, nx=True, px=5000):
    try:
        print("only one of us is here")
    finally:
        release(keys=["lock:report"], args=[token])

# redis-py brings this along: with r.lock("report", timeout=5): …`,
  cli: ['DEL lock:report', 'SET lock:report token-1 NX PX 30000', 'SET lock:report token-2 NX PX 30000', `EVAL "${oneLine(RELEASE)}" 1 lock:report token-2`, `EVAL "${oneLine(RELEASE)}" 1 lock:report token-1`, 'GET lock:report'],
}

function oneLine(script) {
  return script.trim().replace(/\s*\n\s*/g, ' ')
}
