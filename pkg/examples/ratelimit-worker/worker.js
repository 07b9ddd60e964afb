// Ten requests a minute for every address, counted in a Durable Object that keeps what it counted.
import { open } from 'keyside'
import { durableObjectStorage } from 'keyside/durable-object'

const LIMIT = 10
const WINDOW_S = 60

export class Limiter {
  constructor(context) {
    this.db = open({ persist: durableObjectStorage(context.storage) })
  }

  async fetch(request) {
    const db = await this.db
    const key = `hits:${request.headers.get('cf-connecting-ip') ?? 'unknown'}`
    const [hits] = db.multi().incr(key).expire(key, WINDOW_S, { nx: true }).exec()
    await db.persisted()
    if (hits > LIMIT) return new Response('Too many requests\n', { status: 429, headers: { 'retry-after': String(db.ttl(key)) } })
    return new Response('Hello\n', { headers: { 'x-ratelimit-remaining': String(LIMIT - hits) } })
  }
}

export default {
  fetch: (request, env) => env.LIMITER.get(env.LIMITER.idFromName('all')).fetch(request),
}
