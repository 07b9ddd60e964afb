// The dashboard: what the store does and holds, second by second, and the two settings that bound it. It asks only while it
// is shown; its own questions are counted by the store like those of others.

import { Client } from '../client.js'
import { Rates, commands, fields } from '../dashboard/info.js'
import { element } from '../element.js'
import { Plot } from '../plot.js'
import { duration, size, time } from '../units.js'

const SECOND = 1000
const KEPT = 120
const COUNTERS = ['total_commands_processed', 'keyspace_hits', 'keyspace_misses', 'expired_keys', 'evicted_keys']
const POLICIES = ['noeviction', 'allkeys-lru', 'allkeys-lfu', 'allkeys-random', 'volatile-lru', 'volatile-lfu', 'volatile-random', 'volatile-ttl']
const LISTED = 12
/** Memory is measured in slices of so many milliseconds, of no more keys than this. */
const SLICE = 8
const MEASURED = 200_000

export function create({ connect, touch }) {
  const client = new Client(connect)
  const rates = new Rates(COUNTERS, KEPT)
  const memory = []
  const rate = (it) => `${it.toLocaleString('en', { maximumFractionDigits: it < 10 ? 1 : 0 })}/s`
  const charts = {
    commands: new Plot('Commands', ['processed'], rate),
    memory: new Plot('Memory', ['used'], size),
    lookups: new Plot('Lookups', ['hits', 'misses'], rate),
    gone: new Plot('Keys gone', ['expired', 'evicted'], rate),
  }
  const latency = element('div')
  const slow = element('div')
  const limits = limitsForm(client, touch)
  const measure = measuring(client)
  let timer
  let askedAt = 0

  function tick() {
    const info = client.call('INFO', 'stats', 'memory', 'commandstats', 'latencystats')
    const now = performance.now()
    const sample = fields(info)
    rates.add(sample, askedAt ? (now - askedAt) / SECOND : 1)
    askedAt = now
    memory.push(Number(sample.used_memory))
    if (memory.length > KEPT) memory.shift()
    const { series } = rates
    const xs = Array.from({ length: KEPT }, (_, i) => i - KEPT + 1)
    const drawn = (chart, values, limit) => chart.draw(xs, values.map(padded), limit)
    drawn(charts.commands, [series.total_commands_processed])
    drawn(charts.memory, [memory], Number(sample.maxmemory))
    drawn(charts.lookups, [series.keyspace_hits, series.keyspace_misses])
    drawn(charts.gone, [series.expired_keys, series.evicted_keys])
    latency.replaceChildren(latencies(commands(info)))
    slow.replaceChildren(slowLog(client.call('SLOWLOG', 'GET', LISTED)))
  }

  return {
    element: element('section', { class: 'view dashboard', 'aria-label': 'Dashboard', tabindex: -1 },
      element('div', { class: 'cards' }, ...Object.values(charts).map((it) => it.element)),
      limits.element,
      element('div', { class: 'cards wide' },
        element('section', { class: 'card' }, element('h3', {}, 'Latency by command'), latency),
        measure.element,
        element('section', { class: 'card' }, element('h3', {}, 'Slow log'), slow))),
    show() {
      if (timer) return
      askedAt = 0
      limits.read()
      tick()
      timer = setInterval(tick, SECOND)
      measure.start()
    },
    hide() {
      clearInterval(timer)
      timer = undefined
      measure.stop()
    },
  }
}

/** As many values as are drawn, the newest last. */
function padded(values) {
  return [...Array(KEPT - values.length).fill(null), ...values]
}

function latencies(all) {
  const rows = all.slice(0, LISTED).map(({ name, calls, ...times }) => [name, calls.toLocaleString('en'), ...[times.mean, times.p50, times.p99, times.p999].map((it) => (it > 0 ? duration(it) : '–'))])
  return table(['command', 'calls', 'mean', 'p50', 'p99', 'p99.9'], rows)
}

function slowLog(entries) {
  if (entries.length === 0) return element('p', { class: 'notice' }, 'Nothing was slow so far. What takes longer than slowlog-log-slower-than is listed here.')
  return table(['took', 'when', 'command'], entries.map(([, seconds, us, words]) => [duration(us), time(seconds * SECOND), words.join(' ').slice(0, 200)]))
}

/** The controls of maxmemory and its policy. */
function limitsForm(client, touch) {
  const maxmemory = element('input', { class: 'mono', 'aria-label': 'maxmemory', placeholder: '100mb', autocomplete: 'off' })
  const policy = element('select', { 'aria-label': 'maxmemory-policy' }, ...POLICIES.map((it) => element('option', {}, it)))
  const said = element('span', { role: 'status', class: 'faint' })
  const form = element('form', { class: 'actions limits' }, element('label', {}, 'Memory limit ', maxmemory), element('label', {}, 'When it is reached ', policy), element('button', { type: 'submit', class: 'primary' }, 'Apply'), said)
  const read = () => {
    const set = client.call('CONFIG', 'GET', 'maxmemory', 'maxmemory-policy')
    maxmemory.value = set.maxmemory
    policy.value = set['maxmemory-policy']
  }
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    try {
      client.call('CONFIG', 'SET', 'maxmemory', maxmemory.value || '0', 'maxmemory-policy', policy.value)
      said.className = 'faint'
      said.textContent = maxmemory.value === '0' || !maxmemory.value ? 'There is no limit now.' : 'Set.'
      read()
    } catch (error) {
      said.className = 'error'
      said.textContent = error.message
    }
    touch()
  })
  return { element: form, read }
}

/** Memory by type and by prefix, measured key by key in slices between which the page lives. */
function measuring(client) {
  const place = element('div')
  const status = element('p', { class: 'faint', role: 'status' })
  const again = element('button', { type: 'button' }, 'Measure again')
  let run = 0
  again.addEventListener('click', start)

  async function start() {
    const mine = ++run
    const byType = new Map()
    const byPrefix = new Map()
    let [cursor, count] = ['0', 0]
    do {
      const until = performance.now() + SLICE
      do {
        const [next, keys] = client.call('SCAN', cursor, 'COUNT', 50)
        for (const key of keys) {
          const bytes = client.call('MEMORY', 'USAGE', key) ?? 0
          add(byType, client.call('TYPE', key), bytes)
          add(byPrefix, key.includes(':') ? `${key.split(':', 1)[0]}:` : '(no prefix)', bytes)
        }
        count += keys.length
        cursor = next
      } while (cursor !== '0' && performance.now() < until)
      await new Promise((resolve) => setTimeout(resolve))
      if (mine !== run) return
      status.textContent = `${count.toLocaleString('en')} ${count === 1 ? 'key' : 'keys'} measured${cursor === '0' ? '' : ' …'}`
    } while (cursor !== '0' && count < MEASURED)
    if (cursor !== '0') status.textContent = `${count.toLocaleString('en')} keys measured, of more`
    place.replaceChildren(shares(byType, 'type'), shares(byPrefix, 'prefix'))
  }

  return { element: element('section', { class: 'card' }, element('h3', {}, 'Memory by type and prefix'), place, status, again), start, stop: () => run++ }
}

function add(totals, name, bytes) {
  const { keys = 0, sum = 0 } = totals.get(name) ?? {}
  totals.set(name, { keys: keys + 1, sum: sum + bytes })
}

function shares(totals, name) {
  const all = [...totals].sort(([, a], [, b]) => b.sum - a.sum)
  const most = all[0]?.[1].sum ?? 1
  return table([name, 'keys', 'memory', ''], all.slice(0, LISTED).map(([name, { keys, sum }]) => {
    const bar = element('progress', { max: most, 'aria-hidden': 'true' })
    bar.value = sum
    return [name, keys.toLocaleString('en'), size(sum), bar]
  }))
}

function table(heads, rows) {
  return element('div', { class: 'table', tabindex: 0, role: 'region', 'aria-label': heads.filter(Boolean).join(', ') },
    element('table', {}, element('thead', {}, element('tr', {}, ...heads.map((it) => element(it ? 'th' : 'td', {}, it)))), element('tbody', {}, ...rows.map((row) => element('tr', {}, ...row.map((it) => element('td', {}, it)))))))
}
