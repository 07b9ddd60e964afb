/**
 * What runs in a worker that has a store for others: for the page that started it (`worker.ts`), or for every tab of the origin
 * once it is the leader (`shared.ts`).
 */
import { open } from './index.js'
import { lead, type Place } from './leader.js'
import { serve } from './serve.js'
import type { Start, Told } from './start.js'
import type { PersistEvent } from './storage.js'

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
