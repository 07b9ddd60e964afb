// The same work for the store and for what a page would take otherwise. It draws nothing.

/** Keys are set and read in random order, each text made anew, as programs do. */
const KEYS = 20_000
const PER_ROUND = 20_000
/** A transaction of IndexedDB takes so much longer that it gets fewer. */
const PER_ROUND_SLOW = 300
/** How long the page may be kept from what else it does, in milliseconds. */
const SLICE = 25

/** @returns {Promise<Contender[]>} those that are there; where storage is refused, the one that needs it is not */
export async function contenders(open) {
  const [{ LRUCache }, idb] = await Promise.all([import('../vendor/lru-cache.js'), import('../vendor/idb-keyval.js')])
  const db = await open()
  const map = new Map()
  const lru = new LRUCache({ max: 2 * KEYS })
  const all = [
    { name: 'keyside', about: 'a Redis-compatible store in WebAssembly', set: (key, value) => db.set(key, value), get: (key) => db.get(key), end: () => db.close() },
    { name: 'Map', about: 'no expiry, no types, no limit of memory', set: (key, value) => map.set(key, value), get: (key) => map.get(key), end: () => map.clear() },
    { name: 'lru-cache', about: 'keeps the keys used last', set: (key, value) => lru.set(key, value), get: (key) => lru.get(key), end: () => lru.clear() },
  ]
  try {
    const store = idb.createStore('keyside-benchmark', 'values')
    await idb.set('probe', '1', store)
    all.push({ name: 'idb-keyval', about: 'IndexedDB, which keeps what it is given', isSlow: true, set: (key, value) => idb.set(key, value, store), get: (key) => idb.get(key, store), end: () => idb.clear(store) })
  } catch {
    // Private windows refuse storage.
  }
  return all
}

/**
 * One round of a contender: so many sets, then so many gets.
 * @returns {Promise<{ set: number, get: number }>} operations a second
 */
export async function round(contender, seed) {
  const count = contender.isSlow ? PER_ROUND_SLOW : PER_ROUND
  const order = Uint32Array.from({ length: count }, (_, i) => Math.imul(i + seed * count, 2_654_435_761) % KEYS >>> 0)
  const set = await timed(contender, count, (i) => contender.set(`user:${order[i]}:name`, `name ${i}`))
  let found = 0
  const get = await timed(contender, count, (i) => {
    const value = contender.get(`user:${order[i]}:name`)
    if (typeof value === 'string') found += value.length
    return value
  })
  if (!contender.isSlow && found === 0) throw new Error(`${contender.name} found nothing`)
  return { set, get }
}

/** Operations a second, in slices between which the page lives; their pauses do not count. */
async function timed({ isSlow }, count, work) {
  let took = 0
  for (let at = 0; at < count; ) {
    const from = performance.now()
    if (isSlow) for (; at < count && performance.now() - from < SLICE; at++) await work(at)
    else for (const end = Math.min(count, at + 1000); at < end; at++) work(at)
    took += performance.now() - from
    await new Promise((resolve) => setTimeout(resolve))
  }
  return (count / took) * 1000
}

/** The middle one. */
export function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1]
}

/** What the browser says of itself and of its machine. */
export async function machine() {
  const data = navigator.userAgentData
  const { platform, platformVersion, architecture, bitness } = (await data?.getHighEntropyValues?.(['platformVersion', 'architecture', 'bitness']).catch(() => null)) ?? { platform: navigator.platform }
  const brand = data?.brands?.find(({ brand }) => !/not.?a.?brand/i.test(brand))
  const browser = brand ? `${brand.brand} ${brand.version}` : navigator.userAgent
  const system = [platform, platformVersion, architecture && `${architecture}${bitness ? ` ${bitness} bit` : ''}`].filter(Boolean).join(' ')
  return [browser, system, `${navigator.hardwareConcurrency} processors`, navigator.deviceMemory && `${navigator.deviceMemory} GB or more`].filter(Boolean).join(' · ')
}
