// The page: one store, its views, a terminal for each connection to it, gauges, and things to try.

import { Client } from './client.js'
import { commandOf, commandTable } from './commands.js'
import { onDrop } from './dropping.js'
import { element } from './element.js'
import { FIRST_STEPS } from './first-steps.js'
import { Gauges } from './gauges.js'
import { Host } from './host.js'
import { Router } from './router.js'
import { Tabs } from './tabs.js'
import { Terminal } from './terminal.js'

const FIRST_LINES = ['SET greeting "hello, world"', 'GET greeting', 'help string']

const byId = (id) => document.getElementById(id)

async function start() {
  const startedAt = performance.now()
  const host = await Host.start()
  const took = Math.ceil(performance.now() - startedAt)
  const connect = () => host.connect()
  const client = new Client(connect)
  const commands = commandTable(client)
  // Shows the terminal, which can have no focus before.
  document.documentElement.dataset.ready = 'true'
  const gauges = new Gauges(client, { keys: byId('gauge-keys'), memory: byId('gauge-memory'), commands: byId('gauge-commands') })
  const tabs = new Tabs({
    list: byId('tabs'),
    panels: byId('panels'),
    closer: byId('close-tab'),
    open: (onMessage) => new Terminal({ connect, commands, onRun: () => gauges.touch(), onMessage, prepare: (words) => scriptsFor(host, commands, words) }),
  })
  tabs.add().terminal.greet(greeting(tabs, commands, took))
  byId('new-tab').addEventListener('click', () => tabs.select(tabs.add()))
  byId('steps').append(...FIRST_STEPS.map((step) => element('li', {}, stepButton(tabs, step))))
  gauges.touch()
  host.addEventListener('moved', () => {
    for (const terminal of tabs.terminals) terminal.move()
    gauges.restart()
  })
  const context = {
    host,
    connect,
    client,
    commands,
    opener: (withScripts) => host.opener(withScripts),
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
      reference: load(() => import('./views/reference.js')),
      files: load(() => import('./views/files.js')),
      proof: load(() => import('./views/proof.js')),
    },
  })
  byId('terminal-view').hidden = true
  await router.follow()
  performance.mark('ready')
  onDrop(async (file) => {
    location.hash = '#/files'
    const view = await router.follow()
    view.take?.(file)
  })
}

/** The page goes on without this: a network is all that it needs then. */
async function keepOffline() {
  const { keep } = await import('./offline.js')
  await keep(byId('update'))
}

/** What a command that runs scripts has to wait for, once; nothing otherwise. */
function scriptsFor(host, commands, words) {
  const [first, second = ''] = words.slice(0, 2).map((it) => new TextDecoder().decode(it))
  const isScripting = commandOf(commands, `${first} ${second}`)?.group === 'scripting'
  if (host.isMoving || (isScripting && !host.hasScripts)) return { saying: 'Loading the module that runs scripts …', done: host.giveScripts() }
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
  byId('failure-reason').textContent = explained(error)
  byId('failure').hidden = false
  byId('starting').hidden = true
}

/** Why there is no store, and what to do. */
function explained(error) {
  const isForbidden = error?.name === 'CompileError' && /unsafe-eval|Content Security Policy/i.test(error.message)
  if (isForbidden) return `The Content Security Policy of this host forbids WebAssembly. Whoever serves the page has to allow script-src 'wasm-unsafe-eval'. (${error.message})`
  return `Its module, keyside/lite/keyside.wasm, could not be loaded or run here: ${error.message}`
}

if (typeof WebAssembly === 'object') start().then(() => keepOffline().catch(() => {}), fail)
else fail({ message: 'this browser has no WebAssembly, or it is turned off. Its settings may allow it for this page.' })
