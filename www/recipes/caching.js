// Recipes for what is kept a while: answers of a slow source, and sessions. Data for the view, which runs them.

export const cacheAside = {
  id: 'cache-aside',
  name: 'Cache-aside',
  about: 'Keep slow answers for a while.',
  explanation: [
    'Ask the cache first. On a miss, ask the slow source, and keep its answer with a time to live: whoever comes next is served from memory, and an answer that has become wrong is gone by itself.',
    'A change of the source deletes the key. Add some chance to the time to live where many keys are written at once, or they all expire at once.',
  ],
  async run(db, print) {
    async function product(id) {
      const key = `cache:product:${id}`
      const kept = db.get(key)
      if (kept !== null) return JSON.parse(kept)
      const found = await slowSource(id)
      db.set(key, JSON.stringify(found), { ex: 60 })
      return found
    }

    async function slowSource(id) {
      await new Promise((resolve) => setTimeout(resolve, 300))
      return { id, name: 'Lamp' }
    }

    for (const turn of ['a miss', 'a hit']) {
      const startedAt = performance.now()
      const { name } = await product(123)
      print(`${turn}: ${name} in ${(performance.now() - startedAt).toFixed(1)} ms`)
    }
    print('seconds left:', db.ttl('cache:product:123'))
    db.del('cache:product:123')
    print('after a change of the source:', db.get('cache:product:123'))
  },
  python: `
import json, time, redis
r = redis.Redis(decode_responses=True)

def product(id):
    key = f"cache:product:{id}"
    kept = r.get(key)
    if kept is not None:
        return json.loads(kept)
    found = slow_source(id)
    r.set(key, json.dumps(found), ex=60)
    return found

def slow_source(id):
    time.sleep(0.3)
    return {"id": id, "name": "Lamp"}

print(product(123), product(123))
r.delete("cache:product:123")   # when the source changes`,
  cli: ['GET cache:product:123', `SET cache:product:123 '{"name":"Lamp"}' EX 60`, 'GET cache:product:123', 'TTL cache:product:123', 'DEL cache:product:123'],
}

export const session = {
  id: 'session',
  name: 'Sessions',
  about: 'A hash that ends when its visitor is away.',
  explanation: [
    'A session is a hash under a token that cannot be guessed. Each request pushes its end further away, so that only who stays away is logged out.',
    'A hash lets one field change without reading and writing the others. Deleting the key logs out, everywhere and at once.',
  ],
  async run(db, print) {
    const token = crypto.randomUUID()
    const key = `session:${token}`
    db.hset(key, { user: 'ada', role: 'admin', views: 0 })
    db.expire(key, 1800)

    function visit() {
      if (db.expire(key, 1800) === 0) return null
      db.hincrby(key, 'views', 1)
      return db.hgetall(key)
    }

    visit()
    print('second visit:', visit())
    print('seconds left:', db.ttl(key))
    db.del(key)
    print('after logging out:', visit())
  },
  python: `
import secrets, redis
r = redis.Redis(decode_responses=True)

key = f"session:{secrets.token_urlsafe()}"
r.hset(key, mapping={"user": "ada", "role": "admin", "views": 0})
r.expire(key, 1800)

def visit():
    if not r.expire(key, 1800):
        return None
    r.hincrby(key, "views", 1)
    return r.hgetall(key)

print(visit(), visit())
r.delete(key)
print(visit())`,
  cli: ['HSET session:abc123 user ada role admin views 0', 'EXPIRE session:abc123 1800', 'HINCRBY session:abc123 views 1', 'HGETALL session:abc123', 'TTL session:abc123', 'DEL session:abc123'],
}
