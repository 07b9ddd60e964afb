// The recipes: a list of patterns, and for the chosen one its explanation, its code in three languages and a live run.

import { element } from '../element.js'
import { RECIPES } from '../recipes/index.js'

const LANGUAGES = { javascript: 'JavaScript', python: 'Python', cli: 'redis-cli' }

export function create({ host, connect, commands, play, touch }) {
  const links = RECIPES.map(({ id, name, about }) => element('a', { href: `#/recipes/${id}` }, element('b', {}, name), element('small', {}, about)))
  const article = element('article', { tabindex: -1 })
  let language = 'javascript'
  let shown

  function show(path) {
    const recipe = RECIPES.find(({ id }) => id === path) ?? RECIPES[0]
    if (recipe === shown) return
    shown = recipe
    links.forEach((link, i) => link.toggleAttribute('aria-current', RECIPES[i] === recipe))
    article.replaceChildren(...content(recipe))
    article.scrollTop = 0
  }

  function content(recipe) {
    const missing = (recipe.needs ?? []).filter((name) => !commands.has(name))
    return [
      element('h2', {}, recipe.name),
      ...recipe.explanation.map((text) => element('p', {}, text)),
      ...(recipe.lua ? [element('h3', {}, 'The script'), code(recipe.lua.trim())] : []),
      codes(recipe),
      missing.length ? element('p', { class: 'notice' }, `It cannot run here yet: this store has no ${missing.join(', ')}.`) : running(recipe),
    ]
  }

  function codes(recipe) {
    const text = element('pre', { tabindex: 0 })
    const buttons = Object.entries(LANGUAGES).map(([id, name]) => button({ role: 'tab', 'data-language': id, 'aria-controls': 'code' }, () => choose(id), name))
    const choose = (id) => {
      language = id
      text.replaceChildren(sources(recipe)[id])
      text.setAttribute('aria-label', `${recipe.name} in ${LANGUAGES[id]}`)
      for (const it of buttons) {
        it.setAttribute('aria-selected', it.dataset.language === id)
        it.tabIndex = it.dataset.language === id ? 0 : -1
      }
    }
    const list = element('div', { class: 'languages', role: 'tablist', 'aria-label': 'Language' }, ...buttons)
    list.addEventListener('keydown', ({ key }) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[key]
      if (!step) return
      const at = buttons.findIndex((it) => it.tabIndex === 0)
      const next = buttons[(at + step + buttons.length) % buttons.length]
      next.click()
      next.focus()
    })
    choose(language)
    return element('div', { class: 'code' }, list, element('div', { id: 'code', role: 'tabpanel', 'aria-label': 'Code' }, text))
  }

  function running(recipe) {
    const output = element('div', { class: 'output', role: 'log', 'aria-label': 'Output', hidden: true })
    const print = (...values) => output.append(element('div', {}, ...values.flatMap((it, i) => [i ? ' ' : '', written(it)])))
    const run = button({ class: 'primary' }, async () => {
      run.disabled = true
      output.hidden = false
      output.replaceChildren()
      try {
        if (recipe.lua) await host.giveScripts()
        await runOn(connect(), recipe, print)
        output.append(element('div', { class: 'done' }, 'Done. Its keys are in the browser now.'))
      } catch (error) {
        output.append(element('div', { class: 'error' }, error.message))
      }
      run.disabled = false
      touch()
    }, 'Run it here')
    return element('div', {}, element('div', { class: 'actions' }, run, button({}, () => play(recipe.cli), 'Type it into the terminal')), output)
  }

  return {
    element: element('section', { class: 'view split', 'aria-label': 'Recipes' }, element('nav', { 'aria-label': 'Recipes', class: 'listing' }, ...links), article),
    show,
    hide() {},
  }
}

async function runOn(connection, recipe, print) {
  try {
    await recipe.run(connection, print, recipe.lua)
  } finally {
    connection.close()
  }
}

/** The code of a recipe in each language. JavaScript is what runs here, word for word. */
export function sources({ run, python, cli, lua }) {
  const body = String(run).replace(/^[^{]*\{\n/, '').replace(/\n\s*\}$/, '')
  const indent = /^ */.exec(body)[0].length
  const preamble = ["import { open } from 'keyside'", '', 'const db = await open()', 'const print = console.log', ...(lua ? ['const script = `…` // the one above'] : [])]
  return {
    javascript: [...preamble, '', ...body.split('\n').map((line) => line.slice(indent))].join('\n'),
    python: python.trim(),
    cli: cli.map((line) => (typeof line === 'string' ? line : `# in another terminal:\n${line.beside}`)).join('\n'),
  }
}

/** A value as text: texts as they are, everything else as JSON. */
function written(value) {
  return typeof value === 'string' ? value : element('span', { class: 'value' }, value === undefined ? 'undefined' : JSON.stringify(value))
}

function code(text) {
  return element('pre', { tabindex: 0 }, text)
}

function button(attributes, onClick, ...children) {
  const made = element('button', { type: 'button', ...attributes }, ...children)
  made.addEventListener('click', onClick)
  return made
}
