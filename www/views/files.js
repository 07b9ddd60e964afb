// Files: a dump.rdb is dropped on the page and becomes the store; the store is saved as one that redis-server loads.

import { element } from '../element.js'
import { size } from '../units.js'

const MAGIC = 'REDIS'
/** What a module can address is 4 GB, and a file is in memory twice while it is read. */
const LARGEST = 1_000_000_000

export function create(context) {
  const said = element('p', { role: 'status', class: 'said', hidden: true })
  const say = (text, className = 'notice') => {
    said.className = `said ${className}`
    said.replaceChildren(...[text].flat())
    said.hidden = false
  }
  const input = element('input', { type: 'file', accept: '.rdb', 'aria-label': 'An RDB file' })
  const zone = element('label', { class: 'zone' }, element('b', {}, 'Drop a dump.rdb anywhere on the page'), element('span', { class: 'faint' }, 'or choose one. It stays in this tab: nothing is sent anywhere.'), input)
  const save = element('button', { type: 'button', class: 'primary' }, 'Save as dump.rdb')
  const take = (file) => file && open(context, file, say)
  input.addEventListener('change', () => take(input.files[0]))
  save.addEventListener('click', () => write(context, say))
  return {
    element: element('section', { class: 'view files', 'aria-label': 'Files' },
      element('h2', {}, 'Files'),
      element('p', {}, 'Open what SAVE or BGSAVE of a redis-server wrote, look through it in the browser, change it, and save it for a redis-server to load. Files of Redis up to 8 and of Valkey are read.'),
      zone,
      element('h3', {}, 'Save'),
      element('p', {}, 'All databases of this store, with their times to live. Put the file where redis-server has its dir, under the name of its dbfilename, before it starts.'),
      element('p', { class: 'actions' }, save),
      said),
    take,
    show() {},
    hide() {},
  }
}

/** Puts the data of a file in the place of all there is. */
async function open({ host, client, touch }, file, say) {
  try {
    await refuse(file)
    const before = client.call('DBSIZE')
    if (before > 0 && !(await agreed(`This replaces the ${before.toLocaleString('en')} keys of this store by those of ${file.name}. `, say))) return say('Nothing was changed.')
    say(`Reading ${file.name}, ${size(file.size)} …`)
    const bytes = new Uint8Array(await file.arrayBuffer())
    // Lets it be said before it is done.
    await new Promise((resolve) => setTimeout(resolve, 20))
    await host.load(bytes)
    const keys = client.call('INFO', 'keyspace').match(/keys=\d+/g)?.reduce((sum, it) => sum + Number(it.slice(5)), 0) ?? 0
    touch()
    say([`${file.name} is open: ${keys.toLocaleString('en')} keys. `, element('a', { href: '#/browser/' }, 'Browse them')])
  } catch (error) {
    say(error.message.replace(/^keyside: /, ''), 'error')
  }
}

/** Asks, and waits for one of two buttons. */
function agreed(question, say) {
  return new Promise((resolve) => {
    const answer = (text, value) => {
      const made = element('button', { type: 'button' }, text)
      made.addEventListener('click', () => resolve(value))
      return made
    }
    say([question, element('span', { class: 'actions' }, answer('Replace them', true), answer('Keep them', false))])
  })
}

/** Throws what is wrong with a file, before it is read as a whole. */
async function refuse(file) {
  if (file.size > LARGEST) throw new Error(`${file.name} has ${size(file.size)}; a tab can open up to ${size(LARGEST)}. keyside-server or redis-server load it whole.`)
  let start
  try {
    start = new TextDecoder('latin1').decode(await file.slice(0, 9).arrayBuffer())
  } catch (error) {
    throw new Error(`${file.name} cannot be read: ${error.message}`)
  }
  if (!start.startsWith(MAGIC)) throw new Error(`${file.name} is no RDB file: those begin with REDIS and a version. Choose the dump.rdb that SAVE or BGSAVE wrote.`)
}

function write({ host }, say) {
  const bytes = host.snapshot()
  const url = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }))
  const link = element('a', { href: url, download: 'dump.rdb' })
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
  say(`Saved ${size(bytes.length)} as dump.rdb.`)
}
