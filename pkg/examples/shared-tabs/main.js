// One counter for all tabs, kept in IndexedDB. Each tab shows it whenever any of them has changed it.
import { open } from 'keyside/shared'

const button = document.querySelector('#count')
const db = await open({ name: 'counter', persist: 'idb://counter' })
const show = async () => (button.textContent = (await db.get('count')) ?? '0')
await db.watch('count', show)
await show()
button.onclick = () => db.incr('count')
