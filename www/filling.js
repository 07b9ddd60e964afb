// Many keys at once, as DEBUG POPULATE makes them: in slices between which the page lives.

/** How long a slice may take, in milliseconds. */
const SLICE = 8
const AT_ONCE = 100

/**
 * Sets the keys `prefix:0` to `prefix:count-1`, each with a value of `size` bytes, or without a size a short one.
 * @param {{ call: (...words: unknown[]) => unknown }} client
 * @param {{ count: number, prefix?: string, size?: number, signal?: AbortSignal, onProgress?: (done: number) => void }} wanted
 * @returns {Promise<number>} how many it has set when it was done or told to stop
 */
export async function fill(client, { count, prefix = 'key', size = 0, signal, onProgress }) {
  const value = (i) => (size ? `value:${i}`.slice(0, size).padEnd(size, '\0') : `value:${i}`)
  let at = 0
  while (at < count && !signal?.aborted) {
    const until = performance.now() + SLICE
    while (at < count && performance.now() < until) {
      const words = []
      for (const end = Math.min(count, at + AT_ONCE); at < end; at++) words.push(`${prefix}:${at}`, value(at))
      client.call('MSET', ...words)
    }
    onProgress?.(at)
    await new Promise((resolve) => setTimeout(resolve))
  }
  return at
}
