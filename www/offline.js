// The page without a network: its files are kept by a service worker, and a newer version says that it is there.

const QUIET = 3000

/** Has the page kept, and tells in `place` when another version of it is ready. */
export async function keep(place) {
  if (!navigator.serviceWorker) return
  // Where storage is refused, or the host is not trusted, this throws.
  const registration = await navigator.serviceWorker.register('service-worker.js')
  const isFirst = !navigator.serviceWorker.controller
  const offer = (worker) => {
    const reload = document.createElement('button')
    reload.type = 'button'
    reload.textContent = 'Load it'
    reload.addEventListener('click', () => {
      navigator.serviceWorker.addEventListener('controllerchange', () => location.reload())
      worker.postMessage('take over')
    })
    place.replaceChildren('There is a newer version of this page. Loading it empties the store. ', reload)
    place.hidden = false
  }
  const watch = (worker) => {
    worker?.addEventListener('statechange', () => {
      if (worker.state === 'installed' && !isFirst) offer(worker)
    })
  }
  if (registration.waiting && !isFirst) offer(registration.waiting)
  watch(registration.installing)
  // What is not needed at first comes when nothing else is to be done.
  if (!navigator.connection?.saveData) setTimeout(async () => (await navigator.serviceWorker.ready).active.postMessage('keep all'), QUIET)
  registration.addEventListener('updatefound', () => watch(registration.installing))
}
