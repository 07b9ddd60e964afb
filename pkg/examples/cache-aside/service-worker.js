// Answers of an interface are kept for a minute, at most 16 MB of them; those used least recently go first.
import { open } from 'keyside'

const cache = open({ maxmemory: '16mb', maxmemoryPolicy: 'allkeys-lru' })

addEventListener('install', () => skipWaiting())
addEventListener('activate', (event) => event.waitUntil(clients.claim()))
addEventListener('fetch', (event) => {
  const { pathname } = new URL(event.request.url)
  if (event.request.method === 'GET' && pathname.startsWith('/api/')) event.respondWith(answer(event.request))
})

async function answer(request) {
  const db = await cache
  const kept = db.bytes.get(request.url)
  if (kept) return new Response(kept, { headers: { 'content-type': 'application/json', 'x-cache': 'hit' } })
  const response = await fetch(request)
  if (response.ok) db.set(request.url, new Uint8Array(await response.clone().arrayBuffer()), { ex: 60 })
  return response
}
