// Recipes for work to be done: now, by several, or later. Data for the view, which runs them.

export const listQueue = {
  id: 'list-queue',
  name: 'Job queue on a list',
  about: 'Push at one end, work from the other.',
  explanation: [
    'Who has work pushes it; workers wait for it without asking again and again. BLMOVE hands a job out and notes it in a second list in one step, so that it is never nowhere.',
    'A worker removes the job from there when it is done. What stays there after a crash goes back to the queue.',
  ],
  async run(db, print) {
    db.del('jobs', 'jobs:doing')
    const worker = db.connect()

    async function work() {
      const job = await worker.blmove('jobs', 'jobs:doing', 'left', 'right', 5)
      print('worker got', job, '— in hand:', db.llen('jobs:doing'))
      return job
    }

    const waiting = work()
    print('a worker waits; nothing blocks')
    db.rpush('jobs', 'resize:1', 'resize:2')
    const first = await waiting
    db.lrem('jobs:doing', 1, first)
    print(first, 'is done')

    await work()
    print('the worker crashes; what it had in hand goes back:')
    while (db.lmove('jobs:doing', 'jobs', 'right', 'left') !== null);
    print('waiting:', db.lrange('jobs', 0, -1))
    worker.close()
  },
  python: `
import redis
r = redis.Redis(decode_responses=True)

r.rpush("jobs", "resize:1", "resize:2")

def work():
    job = r.blmove("jobs", "jobs:doing", 5, "LEFT", "RIGHT")
    if job is None:
        return                          # nothing to do for five seconds
    print("doing", job)
    r.lrem("jobs:doing", 1, job)        # done

work()
while r.lmove("jobs:doing", "jobs", "RIGHT", "LEFT"):
    pass                                # after a crash: back to the queue`,
  cli: ['DEL jobs jobs:doing', 'BLMOVE jobs jobs:doing LEFT RIGHT 5', { beside: 'RPUSH jobs resize:1 resize:2' }, 'LRANGE jobs:doing 0 -1', 'LREM jobs:doing 1 resize:1', 'LRANGE jobs 0 -1'],
}

export const streamGroup = {
  id: 'stream-group',
  name: 'Job queue on a stream',
  about: 'Several workers; the work of one that crashed is taken over.',
  explanation: [
    'A group hands each entry of a stream to one of its workers, and remembers who has what until it is acknowledged.',
    'What stays unacknowledged too long belonged to a worker that is gone: XAUTOCLAIM gives it to another. Every job is done at least once, so doing it twice must do no harm.',
  ],
  async run(db, print) {
    db.del('tasks')
    db.xgroup_create('tasks', 'workers', '$', { mkstream: true })
    for (const mail of ['ada', 'grace', 'edsger']) db.xadd('tasks', '*', { mail })

    const take = (worker, count) => db.xreadgroup({ tasks: '>' }, { group: ['workers', worker], count })?.tasks ?? []

    const [[lost]] = take('one', 1)
    print('worker one takes', lost, 'and crashes')
    for (const [id, fields] of take('two', 10)) {
      print('worker two does', id, fields)
      db.xack('tasks', 'workers', id)
    }
    print('pending:', db.call('XPENDING', 'tasks', 'workers'))

    await new Promise((resolve) => setTimeout(resolve, 150))
    const [, claimed] = db.xautoclaim('tasks', 'workers', 'two', 100, '0')
    for (const [id, fields] of claimed) {
      print('worker two takes over', id, fields)
      db.xack('tasks', 'workers', id)
    }
    print('pending:', db.call('XPENDING', 'tasks', 'workers')[0])
  },
  python: `
import time, redis
r = redis.Redis(decode_responses=True)

r.delete("tasks")
r.xgroup_create("tasks", "workers", "$", mkstream=True)
for mail in ["ada", "grace", "edsger"]:
    r.xadd("tasks", {"mail": mail})

r.xreadgroup("workers", "one", {"tasks": ">"}, count=1)        # and crashes
for _, entries in r.xreadgroup("workers", "two", {"tasks": ">"}):
    for id, fields in entries:
        r.xack("tasks", "workers", id)

time.sleep(0.15)
_, claimed, _ = r.xautoclaim("tasks", "workers", "two", min_idle_time=100)
for id, fields in claimed:
    print("taken over:", id, fields)
    r.xack("tasks", "workers", id)`,
  cli: ['DEL tasks', 'XGROUP CREATE tasks workers $ MKSTREAM', 'XADD tasks * mail ada', 'XADD tasks * mail grace', 'XREADGROUP GROUP workers one COUNT 1 STREAMS tasks >', 'XREADGROUP GROUP workers two STREAMS tasks >', 'XPENDING tasks workers - + 10', 'XAUTOCLAIM tasks workers two 0 0'],
}

export const delayed = {
  id: 'delayed-jobs',
  name: 'Delayed jobs',
  about: 'Work that is due at a time.',
  explanation: [
    'A sorted set orders jobs by when they are due. Who looks asks for those up to now, and whoever manages to remove one owns it: ZREM says 1 to one worker alone.',
    'Doing a job again later is one more ZADD.',
  ],
  async run(db, print) {
    db.del('later')
    const startedAt = Date.now()
    for (const [ms, job] of [[450, 'remind ada'], [150, 'send mail'], [300, 'clean up']]) db.zadd('later', { [job]: startedAt + ms })
    print('planned:', db.zrange('later', 0, -1))

    while (db.zcard('later') > 0) {
      for (const job of db.zrange('later', '-inf', Date.now(), { byscore: true, limit: [0, 10] })) {
        if (db.zrem('later', job) === 1) print(`after ${Date.now() - startedAt} ms:`, job)
      }
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  },
  python: `
import time, redis
r = redis.Redis(decode_responses=True)

r.zadd("later", {"send mail": time.time() + 0.15, "remind ada": time.time() + 0.45})
while r.zcard("later"):
    for job in r.zrange("later", "-inf", time.time(), byscore=True, offset=0, num=10):
        if r.zrem("later", job):
            print("doing", job)
    time.sleep(0.025)`,
  cli: ['DEL later', 'ZADD later 1000 "send mail" 2000 "clean up" 3000 "remind ada"', 'ZRANGE later -inf 2000 BYSCORE LIMIT 0 10', 'ZREM later "send mail"', 'ZREM later "send mail"', 'ZRANGE later 0 -1 WITHSCORES'],
}
