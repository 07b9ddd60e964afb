#!/usr/bin/env node
/** `npx keyside`: a Redis server without a native binary, for tests and trying out. Data is in memory only. */
import { randomBytes } from 'node:crypto'

import { open } from './node.js'
import { listen, listenHttp } from './server.js'
import type { Store } from './store.js'

const USAGE = `keyside: a Redis-compatible server in Node

  npx keyside [--port 6379] [--host 127.0.0.1]     RESP over TCP
              [--upstash [8079]]                   Upstash's REST protocol over HTTP too
              [--token T] [--read-only-token T]    who may use that; a token is made up if none is given
              [--NAME VALUE …]                     a setting as CONFIG SET takes it: --requirepass, --maxmemory …
`

/** What the command line says. */
interface Wish {
  port: number
  host: string
  /** The port of the REST protocol, if it is wanted. */
  upstash?: number
  token: string
  readOnlyToken?: string
  settings: [name: string, value: string][]
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  console.error(`keyside: ${(error as Error).message}`)
  process.exitCode = 1
}

async function main(args: string[]) {
  if (args.includes('--help') || args.includes('-h')) return void process.stdout.write(USAGE)
  const wish = read(args)
  const isPrivate = ['127.0.0.1', '::1', 'localhost'].includes(wish.host)
  if (!isPrivate && !wish.settings.some(([name, value]) => name === 'requirepass' && value !== '')) {
    throw new Error(`others reach ${wish.host}; give --requirepass PASSWORD too`)
  }
  const db = await open()
  const servers = [await listen(db, wish)]
  console.log(`keyside: ready on ${servers[0]!.url}`)
  if (wish.upstash !== undefined) {
    const rest = await listenHttp(db, { ...wish, port: wish.upstash })
    servers.push(rest)
    console.log(`UPSTASH_REDIS_REST_URL=${rest.url}\nUPSTASH_REDIS_REST_TOKEN=${wish.token}`)
  }
  // Last, since a password is asked of this connection too.
  set(db, wish.settings)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, async () => {
      await Promise.all(servers.map((server) => server.close()))
      db.close()
    })
  }
}

function set(db: Store, settings: Wish['settings']) {
  if (settings.length > 0) db.call('CONFIG', 'SET', ...settings.flat())
}

function read(args: string[]): Wish {
  const wish: Wish = { port: 6379, host: '127.0.0.1', token: randomBytes(24).toString('base64url'), settings: [] }
  const rest = [...args]
  for (let option; (option = rest.shift()) !== undefined; ) {
    if (!option.startsWith('--')) throw new Error(`what is ${option}? See --help`)
    const name = option.slice(2)
    const value = rest[0] === undefined || rest[0].startsWith('--') ? undefined : rest.shift()
    if (name === 'upstash') wish.upstash = portOf(value ?? '8079')
    else if (value === undefined) throw new Error(`${option} needs a value; see --help`)
    else if (name === 'port') wish.port = portOf(value)
    else if (name === 'host') wish.host = value
    else if (name === 'token') wish.token = value
    else if (name === 'read-only-token') wish.readOnlyToken = value
    else wish.settings.push([name, value])
  }
  return wish
}

function portOf(text: string): number {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new Error(`${text} is no port`)
  return port
}
