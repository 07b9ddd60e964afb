/** What every entry exports besides `open`. */
export { BatchError, type Batch } from './batch.js'
export type { Commands } from './commands.js'
export type { OpenOptions, Source } from './open.js'
export { ReplyError } from './reply.js'
export type { BytesConnection, Connection, Listener, PushListener, ScanOptions, Store } from './store.js'
export { LostError, PersistError, TakenError, UnavailableError, type Appendfsync, type PersistEvent, type Storage } from './storage.js'
export type { Message, PatternMessage, SubscribeOptions, Subscription } from './subscription.js'
export type { Members, Names, Numeric, Pairs, Some, Streams, Value } from './values.js'
