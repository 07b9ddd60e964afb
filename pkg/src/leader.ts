/**
 * The worker's side of a store that all tabs share. The worker of every tab waits for the same Web Lock; the one that has it
 * opens the store and serves the others, each by a channel of its own. It lets itself be heard, so that a leader that is frozen
 * is found out, and it hears itself when another one has taken the lock by force.
 */
import { idbStorage } from './idb.js'
import { opfsStorage } from './opfs.js'
import { serve } from './serve.js'
import { TakenError, type PersistEvent, type Storage } from './storage.js'
import type { Store } from './store.js'

/** What goes over the channel that all hear. */
export type Word =
  /** A tab asks who leads. */
  | { who: true }
  /** A worker leads since a time, and lives. One that wakes and does not know yet that it was replaced leads for longer. */
  | { leader: string; since: number }
  /** A tab wants to be served by this leader. */
  | { tab: string; by: string }
  /** A tab's own worker is to take over from a leader that is not heard any more. */
  | { steal: string; worker: string }
  /** The store cannot be opened, for this reason. */
  | { failed: string; name: string }

/** Where a store is kept. */
export interface Place {
  persist?: string | Storage
}

/** How often the leader is heard. */
export const BEAT_MS = 1000

/** How long until it is tried again to open the store. */
const AGAIN_MS = 1000

export const channelOf = (name: string) => `keyside:${name}`
export const channelOfTab = (name: string, tab: string, leader: string) => `keyside:${name}:${tab}:${leader}`
export const lockOfTab = (name: string, tab: string) => `keyside-tab:${name}:${tab}`
const lockOfLeader = (name: string) => `keyside-leader:${name}`

/** Waits for the lead, without limit, and leads when it has it. */
export function lead(name: string, open: (place: Place) => Promise<Store>, persist: string | undefined, tell: (event: PersistEvent) => void) {
  const channel = new BroadcastChannel(channelOf(name))
  const id = crypto.randomUUID()
  let leading: AbortController | undefined
  let since = 0

  const request = (options: LockOptions) => {
    const end = new AbortController()
    navigator.locks
      .request(lockOfLeader(name), options, async () => {
        leading?.abort()
        leading = end
        since = Date.now()
        await serveAll(name, { leader: id, since }, channel, () => openStore(options.steal === true), end.signal)
      })
      .then(
        () => request({}),
        (error: Error) => {
          end.abort()
          if (error.name !== 'AbortError') return channel.postMessage({ failed: error.message, name: error.name } satisfies Word)
          // Another worker has taken the lock: this one was not heard for too long.
          tell({ kind: 'lost', place: persist ?? 'memory' })
          request({})
        },
      )
  }

  const openStore = async (steals: boolean): Promise<Store> => {
    for (;;) {
      try {
        return await open(persist === undefined ? {} : { persist: steals ? byForce(persist) : persist })
      } catch (error) {
        // The store before may not have let go yet.
        if (!steals && !(error instanceof TakenError)) throw error
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
      }
    }
  }

  channel.addEventListener('message', ({ data }: MessageEvent<Word>) => {
    if ('steal' in data && data.worker === id && data.steal !== id) request({ steal: true })
    if ('leader' in data && data.leader !== id && data.since > since) leading?.abort()
  })
  request({})
  postMessage({ worker: id })
}

/** The same place, taken from whoever does not answer. */
function byForce(persist: string): string | Storage {
  if (persist.startsWith('idb://')) return idbStorage(persist.slice('idb://'.length), { steal: true })
  if (persist.startsWith('opfs://')) return opfsStorage(persist.slice('opfs://'.length), { steal: true })
  return persist
}

/** Serves the tabs until the lead is lost. The promise holds the lock. */
async function serveAll(name: string, word: Word & { leader: string }, channel: BroadcastChannel, open: () => Promise<Store>, signal: AbortSignal) {
  const store = await open()
  const tabs = new Map<string, () => void>()
  const id = word.leader
  const say = () => channel.postMessage(word)
  const admit = (tab: string) => {
    if (tabs.has(tab)) return
    const pipe = new BroadcastChannel(channelOfTab(name, tab, id))
    const end = serve(store, { postMessage: (message) => pipe.postMessage(message), addEventListener: pipe.addEventListener.bind(pipe), removeEventListener: pipe.removeEventListener.bind(pipe) })
    pipe.postMessage({ welcome: true })
    const forget = () => {
      tabs.delete(tab)
      end()
      pipe.close()
    }
    tabs.set(tab, forget)
    // A tab holds its lock for as long as it lives.
    void navigator.locks.request(lockOfTab(name, tab), { signal }, () => tabs.get(tab)?.()).catch(() => {})
  }
  const hear = ({ data }: MessageEvent<Word>) => {
    if ('who' in data) say()
    else if ('tab' in data && data.by === id) {
      admit(data.tab)
    }
  }
  channel.addEventListener('message', hear)
  const beat = setInterval(say, BEAT_MS)
  say()
  try {
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve())
      if (signal.aborted) resolve()
    })
  } finally {
    clearInterval(beat)
    channel.removeEventListener('message', hear)
    for (const forget of [...tabs.values()]) forget()
    await store.close().catch(() => {})
  }
}
