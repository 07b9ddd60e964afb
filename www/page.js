// The page: one store, its views, a terminal for each connection to it, gauges, and things to try.

import { open } from './keyside/index.js'
import { commandTable } from './commands.js'
import { element } from './element.js'
import { FIRST_STEPS } from './first-steps.js'
import { Gauges } from './gauges.js'
import { Router } from './router.js'
import { Tabs } from './tabs.js'
import { Terminal } from './terminal.js'

const FIRST_LINES = ['SET greeting "hello, world"', 'GET greeting', 'help string']

const byId = (id) => document.getElementById(id)

async function start() {
  const startedAt = performance.now()
  const db = await open()
  const took = Math.ceil(performance.now() - startedAt)
  const commands = commandTable(db)
  // Shows the terminal, which can have no focus before.
  document.documentElement.dataset.ready = 'true'
  const gauges = new Gauges(() => db.connect(), { keys: byId('gauge-keys'), memory: byId('gauge-memory'), commands: byId('gauge-commands') })
  const tabs = new Tabs({
    list: byId('tabs'),
    panels: byId('panels'),
    closer: byId('close-tab'),
    open: (onMessage) => new Terminal({ connect: () => db.connect(), commands, onRun: () => gauges.touch(), onMessage }),
  })
  tabs.add().terminal.greet(greeting(tabs, commands, took))
  byId('new-tab').addEventListener('click', () => tabs.select(tabs.add()))
  byId('steps').append(...FIRST_STEPS.map((step) => element('li', {}, stepButton(tabs, step))))
  gauges.touch()
  const context = {
    db,
    commands,
    touch: () => gauges.touch(),
    async play(lines) {
      location.hash = '#/terminal'
      await router.follow()
      play(tabs, lines)
    },
  }
  const load = (module) => async () => (await module()).create(context)
  const router = new Router({
    links: document.querySelectorAll('#views a'),
    place: document.querySelector('main'),
    loaders: {
      terminal: () => ({ element: byId('terminal-view'), show: () => tabs.current.terminal.focus(), hide() {} }),
      recipes: load(() => import('./views/recipes.js')),
      browser: load(() => import('./views/browser.js')),
      dashboard: load(() => import('./views/dashboard.js')),
    },
  })
  byId('terminal-view').hidden = true
  await router.follow()
}

function greeting(tabs, commands, took) {
  const count = [...commands.values()].filter(({ isContainer }) => !isContainer).length
  return element(
    'div',
    { class: 'greeting' },
    element('p', {}, element('strong', {}, 'The store is ready.'), ` It took ${took} ms to load, has ${count} commands, and is as empty as can be. Type a command below, or begin with one of these:`),
    element('p', {}, ...FIRST_LINES.map((line) => button({ class: 'line' }, () => play(tabs, [line]), line))),
  )
}

function stepButton(tabs, { name, about, lines }) {
  return button({}, () => play(tabs, lines), element('b', {}, name), element('small', {}, about))
}

function button(attributes, onClick, ...children) {
  const made = element('button', { type: 'button', ...attributes }, ...children)
  made.addEventListener('click', onClick)
  return made
}

/** Types lines into the shown terminal, and where they say so into the one beside. */
function play(tabs, lines) {
  const here = tabs.current
  for (const line of lines) {
    if (typeof line === 'string') here.terminal.run(line)
    else tabs.beside(here).terminal.run(line.beside)
  }
  here.terminal.focus()
  byId('terminal').scrollIntoView({ block: 'nearest' })
}

function fail(error) {
  byId('failure-reason').textContent = `Its module, keyside/keyside.wasm, could not be loaded or run here: ${error.message}`
  byId('failure').hidden = false
  byId('starting').hidden = true
}

start().catch(fail)
