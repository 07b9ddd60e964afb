/**
 * What runs in a worker that has a store for others: for the page that started it (`worker.ts`), or for every tab of the origin
 * once it is the leader (`shared.ts`).
 */
import { open, type OpenOptions, type PersistEvent } from './index.js'
import { lead, type Place } from './leader.js'
import { serve } from './serve.js'

/** How a store is opened in a worker: what can be sent there. */
export type HostOptions = Omit<OpenOptions, 'wasm' | 'now' | 'onPersist' | 'persist'> & {
  /** The module, if it does not lie beside the package's code. */
  wasm?: string | URL | WebAssembly.Module
  /** Where the store is kept. */
  persist?: string
}

/** What the worker is told first. */
export type Start = { start: 'alone'; options: HostOptions } | { start: 'shared'; options: HostOptions; name: string }

/** What it tells. */
export type Told = { ready: true } | { failed: string; name: string } | { event: PersistEvent }

const onPersist = (event: PersistEvent) => postMessage({ event } satisfies Told)

addEventListener('message', async function begin({ data }: MessageEvent<Start>) {
  if (!data || !('start' in data)) return
  removeEventListener('message', begin)
  const { wasm, ...options } = data.options
  const all = { ...options, onPersist, ...(wasm === undefined ? {} : { wasm: typeof wasm === 'string' ? new URL(wasm) : wasm }) }
  try {
    if (data.start === 'shared') lead(data.name, (persist: Place) => open({ ...all, ...persist }), options.persist, onPersist)
    else serve(await open(all), globalThis as never)
    postMessage({ ready: true } satisfies Told)
  } catch (error) {
    postMessage({ failed: (error as Error).message, name: (error as Error).name } satisfies Told)
  }
})
