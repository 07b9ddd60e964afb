// The page: one store, a terminal for each connection to it, gauges and things to try.

import { open } from './keyside/index.js'
import { commandTable } from './commands.js'
import { RECIPES } from './recipes.js'
import { Terminal } from './terminal.js'

const byId = (id) => document.getElementById(id)
const tabs = []

async function start() {
  const db = await open()
  const commands = commandTable(db)
  let stale = false

  function refresh() {
    stale = false
    const info = db.call('INFO')
    byId('gauge-keys').textContent = db.call('DBSIZE')
    byId('gauge-memory').textContent = /used_memory_human:(\S+)/.exec(info)?.[1] ?? '–'
    byId('gauge-commands').textContent = /total_commands_processed:(\d+)/.exec(info)?.[1] ?? '0'
  }

  /** Has the gauges drawn anew, once however much happens meanwhile. */
  function touch() {
    if (stale) return
    stale = true
    requestAnimationFrame(refresh)
  }

  function select(chosen) {
    for (const { tab, panel } of tabs) {
      const isChosen = tab === chosen.tab
      tab.setAttribute('aria-selected', isChosen)
      tab.tabIndex = isChosen ? 0 : -1
      panel.hidden = !isChosen
      if (isChosen) tab.classList.remove('unread')
    }
    chosen.terminal.focus()
  }

  function addTab() {
    const number = tabs.length + 1
    const panel = document.createElement('div')
    panel.className = 'panel'
    panel.id = `panel-${number}`
    panel.setAttribute('role', 'tabpanel')
    const tab = document.createElement('button')
    tab.type = 'button'
    tab.textContent = `client ${number}`
    tab.setAttribute('role', 'tab')
    tab.setAttribute('aria-controls', panel.id)
    const terminal = new Terminal(panel, db.connect(), commands, (what) => {
      touch()
      if (what === 'push' && panel.hidden) tab.classList.add('unread')
    })
    const made = { tab, panel, terminal }
    tabs.push(made)
    tab.addEventListener('click', () => select(made))
    tab.addEventListener('keydown', (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
      if (!step) return
      const next = tabs[(tabs.indexOf(made) + step + tabs.length) % tabs.length]
      select(next)
      next.tab.focus()
    })
    byId('tabs').append(tab)
    byId('panels').append(panel)
    select(made)
  }

  byId('new-tab').addEventListener('click', addTab)
  byId('recipes').append(...RECIPES.map(({ name, about, lines }) => {
    const item = document.createElement('li')
    const button = document.createElement('button')
    button.type = 'button'
    const small = document.createElement('small')
    small.textContent = about
    button.append(name, small)
    button.addEventListener('click', () => {
      const { terminal } = tabs.find(({ panel }) => !panel.hidden)
      lines.forEach((line) => terminal.run(line))
      terminal.focus()
    })
    item.append(button)
    return item
  }))
  addTab()
  refresh()
  setInterval(touch, 1000)
  document.documentElement.dataset.ready = 'true'
}

start().catch((error) => {
  const failure = byId('failure')
  failure.textContent = `The store did not start: ${error.message}`
  failure.hidden = false
})
