/** What every entry exports besides `open`. */
export type { Commands } from './commands.js'
export type { OpenOptions, Source } from './open.js'
export { ReplyError } from './reply.js'
export type { BytesConnection, Connection, Listener, PushListener, Store } from './store.js'
export type { Members, Names, Numeric, Pairs, Some, Streams, Value } from './values.js'
