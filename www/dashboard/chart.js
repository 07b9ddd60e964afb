// Lines over time, drawn as SVG. It knows numbers and names, and not what they mean.

import { element } from '../element.js'

const WIDTH = 300
const HEIGHT = 90
const SVG = 'http://www.w3.org/2000/svg'

export class Chart {
  #lines
  #format
  #values
  #plot = shape('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' })
  #top = element('span', { class: 'top', 'aria-hidden': 'true' })

  /** A chart of `lines`, one name for each; `format` writes a value. */
  constructor(title, lines, format) {
    this.#lines = lines
    this.#format = format
    this.#values = lines.map(() => element('b', {}, '–'))
    const legend = lines.map((name, i) => element('span', { class: `key line-${i}` }, `${name} `, this.#values[i]))
    this.element = element('section', { class: 'card' }, element('h3', {}, title), element('p', { class: 'legend' }, ...legend), element('div', { class: 'plot' }, this.#plot, this.#top))
  }

  /** Draws series as long as `length`, the newest value last; `limit` is a level to be marked. */
  draw(series, length, limit = 0) {
    const high = niceTop(Math.max(limit, 1, ...series.flat()))
    const y = (value) => HEIGHT - 2 - (value / high) * (HEIGHT - 6)
    const x = (i, count) => WIDTH - ((count - 1 - i) / (length - 1)) * WIDTH
    const shapes = series.map((values, i) => {
      const points = values.map((value, at) => `${x(at, values.length).toFixed(1)},${y(value).toFixed(1)}`)
      const area = i === 0 && points.length > 1 ? [shape('polygon', { class: 'area', points: `${x(0, values.length).toFixed(1)},${HEIGHT} ${points.join(' ')} ${WIDTH},${HEIGHT}` })] : []
      return [...area, shape('polyline', { class: `line-${i}`, points: points.join(' ') })]
    })
    const mark = limit > 0 ? [shape('line', { class: 'limit', x1: 0, x2: WIDTH, y1: y(limit), y2: y(limit) })] : []
    this.#plot.replaceChildren(...mark, ...shapes.flat())
    this.#top.textContent = this.#format(high)
    this.#values.forEach((it, i) => (it.textContent = series[i].length ? this.#format(series[i].at(-1)) : '–'))
  }
}

/** The next of 1, 2 and 5 times a power of ten. */
export function niceTop(value) {
  const power = 10 ** Math.floor(Math.log10(value))
  return power * [1, 2, 5, 10].find((it) => it * power >= value * 0.999999)
}

function shape(name, attributes) {
  const made = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  return made
}
