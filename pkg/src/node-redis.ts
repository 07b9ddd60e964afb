/**
 * node-redis on a store in the same process: `createClient({ socket: socket(db) })`.
 *
 * node-redis has no way to be given a stream: it calls `createConnection` of node:net. The first call of `socket` puts a function
 * in that place, which answers for the options made here and passes on all others.
 */
import net from 'node:net'

import { MemorySocket } from './memory-socket.js'
import type { Store } from './store.js'

const STORE = Symbol('keyside')

/** The option `socket` of `createClient`, `createClientPool` and their duplicates. */
export interface SocketOptions {
  path: string
  tls: false
}

/** Has clients connect to the store. */
export function socket(store: Store): SocketOptions {
  answerForStores()
  return { path: 'keyside', tls: false, [STORE]: store } as SocketOptions
}

let isAnswering = false

function answerForStores() {
  if (isAnswering) return
  isAnswering = true
  const connect = net.createConnection as (...args: unknown[]) => net.Socket
  net.createConnection = function (this: unknown, ...args: unknown[]) {
    const store = (args[0] as Record<symbol, Store> | undefined)?.[STORE]
    return store ? new MemorySocket(store) : connect.apply(this, args)
  } as typeof net.createConnection
}
