/**
 * One store for every tab of an origin: it is in the worker of one of them, and when that tab goes, another one's worker goes on
 * with what was kept. The methods promise, as with a store in a worker.
 *
 * When the store goes to another tab, requests that only read are asked again; those that may have changed something and were not
 * answered are refused with a `LeaderChangedError`, and so is a transaction that had begun. Subscriptions go on; what was published
 * in between is not heard.
 */
import type { HostOptions } from './start.js'
import { BEAT_MS, channelOf, channelOfTab, lockOfTab, type Word } from './leader.js'
import { Link } from './link.js'
import { RemoteStore, introduce } from './remote.js'
import { UnavailableError, type PersistEvent } from './storage.js'
import { report, startWorker, told } from './worker.js'

export { BatchError } from './batch.js'
export { LeaderChangedError } from './link.js'
export { ReplyError } from './reply.js'
export type { RemoteBatch, RemoteCommands, RemoteConnection, RemoteStore } from './remote.js'

/** How a shared store is opened. Tabs that say the same name share one; the options of the tab that has it count. */
export interface SharedOptions extends HostOptions {
  /** Which store it is; `keyside` if not given. */
  name?: string
  /** Is told what happened to the data that is kept; otherwise the console is. */
  onPersist?: (event: PersistEvent) => void
  /** Is called when another tab has the store. */
  onLeaderChange?: () => void
}

/** How often it is asked who leads, while nobody does. */
const ASK_MS = 250

/** A leader that was not heard for so long, by a tab that was awake, is frozen. */
const SILENCE_MS = 5 * BEAT_MS

/** Opens the store that all tabs share. */
export async function open({ onPersist = report, onLeaderChange, name = 'keyside', ...options }: SharedOptions = {}): Promise<RemoteStore> {
  if (typeof BroadcastChannel === 'undefined' || !globalThis.navigator?.locks) throw new UnavailableError('keyside: a shared store needs Web Locks and BroadcastChannel; serve the page by https or from localhost')
  const tab = crypto.randomUUID()
  const link = new Link()
  const free = await hold(lockOfTab(name, tab))
  const worker = startWorker(onPersist)
  let workerId = ''
  worker.addEventListener('message', ({ data }) => {
    if (data && 'worker' in data) workerId = data.worker
  })
  try {
    await told(worker, { start: 'shared', options, name })
  } catch (error) {
    worker.terminate()
    free()
    throw error
  }

  const channel = new BroadcastChannel(channelOf(name))
  let leader: string | undefined
  let since = 0
  let pipe: BroadcastChannel | undefined
  let isWelcome = false
  let heardAt = Date.now()
  let lookedAt = Date.now()

  const leave = () => {
    pipe?.close()
    pipe = undefined
    isWelcome = false
  }
  /** Another worker leads. */
  const follow = (next: string) => {
    const isChange = leader !== undefined
    leave()
    leader = next
    const own = (pipe = new BroadcastChannel(channelOfTab(name, tab, next)))
    own.onmessage = ({ data }) => {
      if (!data?.welcome || own !== pipe || isWelcome) return
      isWelcome = true
      link.attach(own)
      if (isChange) onLeaderChange?.()
    }
    channel.postMessage({ tab, by: next } satisfies Word)
  }
  channel.onmessage = ({ data }: MessageEvent<Word>) => {
    if ('failed' in data) return link.end(Object.assign(new Error(data.failed), { name: data.name }))
    if (!('leader' in data)) return
    if (data.since < since) return
    heardAt = Date.now()
    since = data.since
    if (data.leader !== leader) follow(data.leader)
  }
  const look = () => {
    const now = Date.now()
    // Who slept has heard nobody.
    if (now - lookedAt > SILENCE_MS / 2) heardAt = now
    lookedAt = now
    if (leader === undefined) channel.postMessage({ who: true } satisfies Word)
    else if (!isWelcome) channel.postMessage({ tab, by: leader } satisfies Word)
    if (leader === undefined || now - heardAt <= SILENCE_MS) return
    heardAt = now
    // Not all at once: whoever is first is heard by the others.
    setTimeout(() => {
      if (heardAt === now) channel.postMessage({ steal: leader!, worker: workerId } satisfies Word)
    }, Math.random() * BEAT_MS)
  }
  const timer = setInterval(look, ASK_MS)
  look()

  const ending = async () => {
    clearInterval(timer)
    worker.terminate()
    leave()
    channel.close()
    free()
  }
  return introduce(new RemoteStore(link, ending))
}

/** Holds a lock until the returned function is called. */
function hold(lock: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    navigator.locks.request(lock, () => new Promise<void>((release) => resolve(release))).catch(reject)
  })
}
