// A simulation drawn as a score: a line for each key, a column for each request, a colour for what was asked.

import { element } from '../element.js'

const KEYS = 24
const COLUMNS = 240
const CELL = 6
const COLORS = { string: '--string', hash: '--number', list: '--status', set: '--accent', key: '--nothing', refused: '--error' }

export class Score {
  #canvas = element('canvas', { width: COLUMNS * CELL, height: KEYS * CELL, role: 'img', 'aria-label': 'Requests: a line for each key, a column for each request' })
  #recent = []

  constructor() {
    const legend = Object.entries(COLORS).map(([name, color]) => element('span', { class: `key kind-${name}`, 'data-color': color }, name))
    this.element = element('div', { class: 'score' }, this.#canvas, element('p', { class: 'legend' }, ...legend))
  }

  clear() {
    this.#recent = []
    this.draw()
  }

  add(request) {
    this.#recent.push(request)
    if (this.#recent.length > 4 * COLUMNS) this.#recent = this.#recent.slice(-COLUMNS)
  }

  draw() {
    const context = this.#canvas.getContext('2d')
    const style = getComputedStyle(document.documentElement)
    const colors = Object.fromEntries(Object.entries(COLORS).map(([kind, name]) => [kind, style.getPropertyValue(name)]))
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height)
    this.#recent.slice(-COLUMNS).forEach(({ key, kind }, i) => {
      context.fillStyle = colors[kind]
      context.fillRect(i * CELL, key * CELL, CELL - 1, CELL - 1)
    })
  }
}
