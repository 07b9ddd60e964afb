/** ioredis and iovalkey on a store in the same process: `new Redis({ Connector: connector(db) })`. */
import type { RedisOptions } from 'ioredis'

import { MemorySocket } from './memory-socket.js'
import type { Store } from './store.js'

/** The class that ioredis asks for a stream, each time it connects. */
export type Connector = NonNullable<RedisOptions['Connector']>

/** A connector to the store, for any number of clients and their duplicates. */
export function connector(store: Store): Connector {
  class StoreConnector {
    connecting = false
    firstError: Error | undefined
    #socket: MemorySocket | undefined

    /** What a server says of itself in INFO is of no interest. */
    check() {
      return true
    }

    async connect() {
      return (this.#socket = new MemorySocket(store))
    }

    disconnect() {
      this.#socket?.end()
    }
  }
  return StoreConnector as unknown as Connector
}
