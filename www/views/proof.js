// Proof: the store measured beside what a page would take otherwise, and simulated beside a model that says what it has to
// answer. Both run here, on the visitor's machine; the seed of the simulation is in the address.

import { element } from '../element.js'
import { Plot } from '../plot.js'
import { contenders, machine, median, round } from '../proof/benchmark.js'
import { INVARIANTS, Simulation } from '../proof/simulation.js'
import { Score } from '../proof/score.js'

const ROUNDS = 12
/** How long a slice of the simulation may take, in milliseconds. */
const SLICE = 6

export function create({ opener }) {
  const bench = benchmark(opener)
  const sim = simulation(opener)
  return {
    element: element('section', { class: 'view proof', 'aria-label': 'Proof', tabindex: -1 }, bench.element, sim.element),
    /** The path is the seed of a simulation. */
    show(path) {
      if (/^\d{1,10}$/.test(path)) sim.begin(Number(path))
    },
    hide() {
      bench.stop()
      sim.stop()
    },
  }
}

function benchmark(opener) {
  const on = element('p', { class: 'faint' }, 'On this machine.')
  const status = element('span', { class: 'faint', role: 'status' })
  const button = element('button', { type: 'button', class: 'primary' }, 'Measure here')
  const place = element('div', { class: 'cards wide' })
  const result = element('div')
  let stopped = true
  machine().then((text) => (on.textContent = `On this machine: ${text}.`))
  button.addEventListener('click', async () => {
    if (!stopped) return void (stopped = true)
    stopped = false
    button.textContent = 'Stop'
    try {
      await run()
    } catch (error) {
      status.textContent = error.message
    }
    stopped = true
    button.textContent = 'Measure again'
  })

  async function run() {
    const all = await contenders(await opener())
    const names = all.map(({ name }) => name)
    const plots = Object.fromEntries(['get', 'set'].map((what) => [what, new Plot(`${what === 'get' ? 'Reads' : 'Writes'} a second, round by round`, names, rate, { axis: 'round', height: 190 })]))
    place.replaceChildren(...Object.values(plots).map((it) => it.element))
    const measured = all.map(() => ({ get: [], set: [] }))
    try {
      for (let turn = 1; turn <= ROUNDS && !stopped; turn++) {
        // Each begins in turn, so that none is always the one that comes after another's garbage.
        for (let i = 0; i < all.length && !stopped; i++) {
          const at = (i + turn) % all.length
          status.textContent = `Round ${turn} of ${ROUNDS}: ${names[at]} …`
          const { get, set } = await round(all[at], turn)
          measured[at].get.push(get)
          measured[at].set.push(set)
        }
        const xs = Array.from({ length: turn }, (_, i) => i + 1)
        for (const what of ['get', 'set']) plots[what].draw(xs, measured.map((it) => it[what]))
        result.replaceChildren(medians(all, measured))
      }
      status.textContent = `${stopped ? 'Stopped' : 'Done'}: medians of ${measured[0].get.length} rounds of 20,000 keys in random order, made anew for each call.`
    } finally {
      for (const it of all) await it.end()
    }
  }

  return {
    element: element('section', {},
      element('h2', {}, 'How fast'),
      element('p', {}, 'The same reads and writes through keyside’s methods, a plain Map, lru-cache and idb-keyval. A Map has no expiry, no types and no limit; IndexedDB keeps what it is given.'),
      on, element('div', { class: 'actions' }, button, status), result, place),
    stop: () => (stopped = true),
  }
}

function medians(all, measured) {
  const most = Math.max(...measured.flatMap(({ get, set }) => [median(get), median(set)]))
  const bar = (value) => {
    const made = element('progress', { max: most, 'aria-hidden': 'true' })
    made.value = value
    return made
  }
  const rows = all.map(({ name, about }, i) => {
    const [get, set] = [median(measured[i].get), median(measured[i].set)]
    return [element('b', {}, name), rate(get), bar(get), rate(set), bar(set), element('span', { class: 'faint' }, about)]
  })
  return element('div', { class: 'table', tabindex: 0, role: 'region', 'aria-label': 'Medians' },
    element('table', {}, element('thead', {}, element('tr', {}, ...['', 'reads', '', 'writes', '', ''].map((it) => element(it ? 'th' : 'td', {}, it)))), element('tbody', {}, ...rows.map((row) => element('tr', {}, ...row.map((it) => element('td', {}, it)))))))
}

function simulation(opener) {
  const seed = element('input', { class: 'mono seconds', inputmode: 'numeric', 'aria-label': 'Seed', value: '1815' })
  const run = element('button', { type: 'submit', class: 'primary' }, 'Run')
  const another = element('button', { type: 'button' }, 'Another seed')
  const form = element('form', { class: 'actions' }, element('label', {}, 'Seed ', seed), run, another)
  const status = element('p', { class: 'faint', role: 'status' }, 'Not running.')
  const score = new Score()
  const ticks = Object.entries(INVARIANTS).map(([name, text]) => [name, element('b', {}, '–'), text])
  const list = element('ul', { class: 'plain invariants' }, ...ticks.map(([, count, text]) => element('li', {}, count, ` ${text}`)))
  const failure = element('p', { class: 'error', role: 'alert', hidden: true })
  let current = 0
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    if (current && run.textContent === 'Stop') return stop()
    go(seed.value)
  })
  another.addEventListener('click', () => go(Math.floor(Math.random() * 1e6)))

  function go(value) {
    const number = Math.min(4_294_967_295, Math.max(0, Math.floor(Number(value) || 0)))
    if (location.hash === `#/proof/${number}`) begin(number)
    else location.hash = `#/proof/${number}`
  }

  async function begin(number) {
    const mine = ++current
    seed.value = number
    run.textContent = 'Stop'
    failure.hidden = true
    score.clear()
    const simulation = await Simulation.begin(await opener(), number)
    try {
      while (mine === current) {
        const until = performance.now() + SLICE
        do {
          score.add(simulation.step())
          if (simulation.isRound) await simulation.compare()
        } while (performance.now() < until)
        score.draw()
        for (const [name, count] of ticks) count.textContent = simulation.held[name].toLocaleString('en')
        status.textContent = `Seed ${number}: ${simulation.steps.toLocaleString('en')} requests by four clients on 24 keys.`
        await new Promise(requestAnimationFrame)
      }
    } catch (error) {
      failure.textContent = `Seed ${number}. ${error.message}`
      failure.hidden = false
    } finally {
      simulation.end()
      if (mine === current) stop()
    }
  }

  function stop() {
    current++
    run.textContent = 'Run'
  }

  return {
    element: element('section', {},
      element('h2', {}, 'How true'),
      element('p', {}, 'Four clients ask at random for what a seed draws; a model of a hundred lines of JavaScript says what each reply has to be. The same seed gives the same run, here and anywhere, so whatever goes wrong can be told by its address.'),
      form, score.element, status, failure, list),
    begin,
    stop,
  }
}

function rate(value) {
  if (value >= 1e6) return `${(value / 1e6).toFixed(value < 1e7 ? 2 : 1)} M/s`
  return value >= 1000 ? `${(value / 1000).toFixed(value < 1e4 ? 1 : 0)} k/s` : `${Math.round(value)}/s`
}
