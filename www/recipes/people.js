// Recipes for what people do: play, talk, come, go and be somewhere. Data for the view, which runs them.

export const leaderboard = {
  id: 'leaderboard',
  name: 'Leaderboard',
  about: 'Ranks that are right at once.',
  explanation: [
    'A sorted set keeps its members in the order of their scores. Adding points, the best ten, one’s own rank and one’s neighbours all take logarithmic time, with ten players or with ten million.',
    'With GT a score only ever rises: the best result of each player, without reading before writing.',
  ],
  async run(db, print) {
    db.del('board')
    db.zadd('board', { ada: 3200, grace: 2950, edsger: 3100, alan: 2800, barbara: 3050 })
    print('the first three:', db.zrange('board', 0, 2, { rev: true, withscores: true }))
    db.zincrby('board', 300, 'grace')
    print('grace wins 300; her rank is now', db.zrevrank('board', 'grace') + 1)
    db.zadd('board', { ada: 100 }, { gt: true })
    print('a worse result of ada changes nothing:', db.zscore('board', 'ada'))
    const rank = db.zrevrank('board', 'edsger')
    print('around edsger:', db.zrange('board', Math.max(0, rank - 1), rank + 1, { rev: true }))
  },
  python: `
import redis
r = redis.Redis(decode_responses=True)

r.zadd("board", {"ada": 3200, "grace": 2950, "edsger": 3100, "alan": 2800})
print(r.zrange("board", 0, 2, desc=True, withscores=True))
r.zincrby("board", 300, "grace")
print("rank", r.zrevrank("board", "grace") + 1)
r.zadd("board", {"ada": 100}, gt=True)          # only ever rises
rank = r.zrevrank("board", "edsger")
print(r.zrange("board", max(0, rank - 1), rank + 1, desc=True))`,
  cli: ['ZADD board 3200 ada 2950 grace 3100 edsger 2800 alan', 'ZRANGE board 0 2 REV WITHSCORES', 'ZINCRBY board 300 grace', 'ZREVRANK board grace WITHSCORE', 'ZADD board GT CH 100 ada'],
}

export const chat = {
  id: 'chat',
  name: 'Chat',
  about: 'Publish, and everyone who listens hears.',
  explanation: [
    'A channel has no memory: a message reaches who is subscribed at that moment, and nobody else. PUBLISH says how many that were.',
    'Who needs what was said before keeps it in a stream beside the channel; trimmed, it is the last page of the conversation.',
  ],
  async run(db, print) {
    const say = (who, text) => {
      db.xadd('chat:room:log', '*', { who, text }, { maxlen: ['~', 100] })
      return db.publish('chat:room', `${who}: ${text}`)
    }

    db.del('chat:room:log')
    print('heard by', say('ada', 'is anybody here?'))

    const grace = db.connect()
    grace.on('message', (channel, message) => print('grace hears —', message))
    grace.subscribe('chat:room')
    for (const [, [, who, , text]] of db.xrange('chat:room:log', '-', '+')) print('grace reads —', `${who}: ${text}`)

    print('heard by', say('ada', 'hello, grace'))
    await new Promise((resolve) => setTimeout(resolve, 50))
    grace.close()
    print('heard by', say('ada', 'grace?'))
  },
  python: `
import redis
r = redis.Redis(decode_responses=True)

listening = r.pubsub()
listening.subscribe("chat:room")
listening.get_message(timeout=1)                 # the subscription itself

r.xadd("chat:room:log", {"who": "ada", "text": "hello"}, maxlen=100)
print("heard by", r.publish("chat:room", "ada: hello"))
print(listening.get_message(timeout=1)["data"])
print(r.xrevrange("chat:room:log", count=10))`,
  cli: ['SUBSCRIBE chat:room', { beside: 'PUBLISH chat:room "ada: hello"' }, { beside: 'PUBSUB NUMSUB chat:room' }],
}

export const presence = {
  id: 'presence',
  name: 'Presence',
  about: 'Who is here now.',
  explanation: [
    'Each visitor says now and then that they are here; a sorted set keeps when they last did. Who is here are those since half a minute ago, and how many they are takes logarithmic time.',
    'Nobody has to say goodbye: who stays silent falls out of the range, and is removed by whoever looks next.',
  ],
  async run(db, print) {
    const HERE = 300 // milliseconds; half a minute in life
    const beat = (who) => db.zadd('present', { [who]: Date.now() })
    const present = () => {
      db.zremrangebyscore('present', '-inf', Date.now() - HERE)
      return db.zrange('present', 0, -1)
    }

    db.del('present')
    for (const who of ['ada', 'grace', 'alan']) beat(who)
    print('here:', present())
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => setTimeout(resolve, 130))
      beat('ada')
    }
    print('only ada goes on saying so; here:', present())
  },
  python: `
import time, redis
r = redis.Redis(decode_responses=True)
HERE = 30

def beat(who):
    r.zadd("present", {who: time.time()})

def present():
    r.zremrangebyscore("present", "-inf", time.time() - HERE)
    return r.zrange("present", 0, -1)

beat("ada"); beat("grace")
print(present())`,
  cli: ['DEL present', 'ZADD present 1000 ada 1010 grace 960 alan', 'ZREMRANGEBYSCORE present -inf 980', 'ZRANGE present 0 -1', 'ZCOUNT present 1005 +inf'],
}

export const uniqueVisitors = {
  id: 'unique-visitors',
  name: 'Unique visitors',
  about: 'Counting millions in 12 KB.',
  explanation: [
    'A HyperLogLog estimates how many different things it was shown, within about one per cent as a rule, and never takes more than 12 KB. It cannot say who they were.',
    'Days merge into weeks: someone who came on two days counts once.',
  ],
  async run(db, print) {
    db.del('visitors:mon', 'visitors:tue', 'visitors:week')
    const visitors = (from, to) => Array.from({ length: to - from }, (_, i) => `visitor-${from + i}`)
    db.pfadd('visitors:mon', ...visitors(0, 20_000))
    db.pfadd('visitors:tue', ...visitors(15_000, 30_000))
    print('Monday, of 20000:', db.pfcount('visitors:mon'))
    print('Tuesday, of 15000:', db.pfcount('visitors:tue'))
    db.pfmerge('visitors:week', 'visitors:mon', 'visitors:tue')
    print('both days, of 30000:', db.pfcount('visitors:week'))
    print('bytes:', db.memory_usage('visitors:week'))
  },
  python: `
import redis
r = redis.Redis(decode_responses=True)

r.pfadd("visitors:mon", *(f"visitor-{i}" for i in range(20_000)))
r.pfadd("visitors:tue", *(f"visitor-{i}" for i in range(15_000, 30_000)))
print(r.pfcount("visitors:mon"), r.pfcount("visitors:mon", "visitors:tue"))
r.pfmerge("visitors:week", "visitors:mon", "visitors:tue")`,
  cli: ['PFADD visitors:mon ada grace alan', 'PFADD visitors:tue ada barbara', 'PFCOUNT visitors:mon', 'PFCOUNT visitors:mon visitors:tue', 'PFMERGE visitors:week visitors:mon visitors:tue', 'MEMORY USAGE visitors:week'],
}

export const nearby = {
  id: 'nearby',
  name: 'Search nearby',
  about: 'What is around here, and how far.',
  explanation: [
    'Places are members of a sorted set whose scores interleave the bits of longitude and latitude, so that what is near has a similar score. A search looks at few ranges of it.',
    'GEOSEARCH takes a circle or a box around a point or around a member, and sorts by distance.',
  ],
  async run(db, print) {
    db.del('cities')
    db.geoadd('cities', [
      [13.4050, 52.5200, 'Berlin'], [9.9937, 53.5511, 'Hamburg'], [11.5820, 48.1351, 'Munich'],
      [14.4378, 50.0755, 'Prague'], [12.3731, 51.3397, 'Leipzig'],
    ])
    print('within 200 km of Leipzig:', db.geosearch('cities', { frommember: 'Leipzig', byradius: [200, 'km'], asc: true, withdist: true }))
    print('the two nearest to 50.0 N, 12.0 E:', db.geosearch('cities', { fromlonlat: [12, 50], byradius: [1000, 'km'], asc: true, count: 2 }))
    print('Berlin to Munich, in km:', db.geodist('cities', 'Berlin', 'Munich', { km: true }))
  },
  python: `
import redis
r = redis.Redis(decode_responses=True)

r.geoadd("cities", (13.4050, 52.5200, "Berlin", 9.9937, 53.5511, "Hamburg", 12.3731, 51.3397, "Leipzig"))
print(r.geosearch("cities", member="Leipzig", radius=200, unit="km", sort="ASC", withdist=True))
print(r.geodist("cities", "Berlin", "Hamburg", unit="km"))`,
  cli: ['GEOADD cities 13.4050 52.5200 Berlin 9.9937 53.5511 Hamburg 12.3731 51.3397 Leipzig', 'GEOSEARCH cities FROMMEMBER Leipzig BYRADIUS 200 km ASC WITHDIST', 'GEODIST cities Berlin Hamburg km', 'GEOHASH cities Berlin'],
}
