// Keeps the files of one version of the page, so that it opens without a network. `build.js` writes in which they are. It takes
// no request but for them, and no data of the store.

const VERSION = ''
/** Kept with the first visit. */
const FIRST = []
/** Kept when they are first asked for, or when there is time. */
const LATER = []

const CACHE = `keyside ${registration.scope} ${VERSION}`
const addressOf = (path) => new URL(path, registration.scope).href
const kept = new Set([...FIRST, ...LATER].map(addressOf))

addEventListener('install', (event) => event.waitUntil(keep()))
addEventListener('activate', (event) => event.waitUntil(forget()))
addEventListener('message', (event) => {
  if (event.data === 'take over') skipWaiting()
  if (event.data === 'keep all') event.waitUntil(keepLater())
})
addEventListener('fetch', (event) => {
  const { request } = event
  const address = request.url.split(/[?#]/, 1)[0]
  const wanted = address === registration.scope ? addressOf('index.html') : address
  if (request.method === 'GET' && kept.has(wanted)) event.respondWith(answer(request, wanted))
})

async function keep() {
  const cache = await caches.open(CACHE)
  await cache.addAll(FIRST.map((path) => new Request(addressOf(path), { cache: 'no-cache' })))
}

async function keepLater() {
  const cache = await caches.open(CACHE)
  for (const address of LATER.map(addressOf)) if (!(await cache.match(address))) await cache.add(address)
}

/** Versions before this one, of this page only: there may be others on the same host. */
async function forget() {
  const names = await caches.keys()
  await Promise.all(names.filter((name) => name.startsWith(`keyside ${registration.scope} `) && name !== CACHE).map((name) => caches.delete(name)))
  await clients.claim()
}

async function answer(request, address) {
  const cache = await caches.open(CACHE)
  const found = await cache.match(address)
  if (found) return found
  const response = await fetch(request)
  if (response.ok) await cache.put(address, response.clone())
  return response
}
