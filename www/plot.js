// Lines over numbers, drawn by uPlot with the colours of the page. It knows numbers and names, and not what they mean.

import { element } from './element.js'
import UPlot from './vendor/uplot.js'

const HEIGHT = 130
const COLORS = ['--accent', '--string', '--number', '--nothing']

document.head.append(element('link', { rel: 'stylesheet', href: 'vendor/uplot.css' }))

export class Plot {
  #plot
  #lines
  #format
  #data
  #limit
  #place
  #values

  /** A plot of `lines`, one name for each; `format` writes a value, `axis` what is below, if anything. */
  constructor(title, lines, format, { axis, height = HEIGHT } = {}) {
    this.#lines = lines
    this.#format = format
    this.axis = axis
    this.height = height
    this.#data = [[], ...lines.map(() => [])]
    this.#values = lines.map(() => element('b', {}, '–'))
    this.#place = element('div', { class: 'plot', role: 'img', 'aria-label': title })
    const legend = lines.map((name, i) => element('span', { class: `key line-${i}` }, `${name} `, this.#values[i]))
    this.element = element('section', { class: 'card' }, element('h3', {}, title), element('p', { class: 'legend' }, ...legend), this.#place)
    new ResizeObserver(() => this.#fit()).observe(this.#place)
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#make())
  }

  /** Draws series, each as long as `xs`; `limit` is a level to be marked. */
  draw(xs, series, limit = 0) {
    this.#data = [xs, ...series]
    this.#limit = limit
    this.#values.forEach((it, i) => (it.textContent = Number.isFinite(series[i].at(-1)) ? this.#format(series[i].at(-1)) : '–'))
    if (!this.#plot) return this.#make()
    this.#plot.setData(this.#data)
  }

  #fit() {
    const width = this.#place.clientWidth
    if (!width) return
    if (!this.#plot) this.#make()
    else if (width !== this.#plot.width) this.#plot.setSize({ width, height: this.height })
  }

  #make() {
    const width = this.#place.clientWidth
    this.#plot?.destroy()
    this.#plot = null
    if (!width) return
    const style = getComputedStyle(document.documentElement)
    const color = (name) => style.getPropertyValue(name).trim()
    const ink = { stroke: color('--faint'), font: '12px system-ui, sans-serif', grid: { stroke: color('--line'), width: 1 }, ticks: { show: false } }
    this.#plot = new UPlot(
      {
        width,
        height: this.height,
        legend: { show: false },
        cursor: { show: false },
        padding: [8, 4, this.axis ? 0 : 6, 0],
        scales: { x: { time: false }, y: { range: (_, __, high) => [0, Math.max(1, high, this.#limit ?? 0) * 1.08] } },
        axes: [{ ...ink, show: Boolean(this.axis), label: this.axis, labelFont: ink.font, labelSize: 18, size: 24, incrs: [1, 2, 5, 10, 20, 50] }, { ...ink, size: 56, space: 32, values: (_, values) => values.map(this.#format) }],
        series: [{}, ...this.#lines.map((label, i) => ({ label, stroke: color(COLORS[i]), width: 1.6, points: { show: false }, ...(i === 0 && this.#lines.length < 3 && { fill: `${color(COLORS[0])}1f` }) }))],
        hooks: { draw: [(it) => this.#drawLimit(it, color('--error'))] },
      },
      this.#data,
      this.#place,
    )
  }

  #drawLimit(plot, color) {
    if (!this.#limit) return
    const { ctx, bbox } = plot
    const y = plot.valToPos(this.#limit, 'y', true)
    ctx.save()
    ctx.strokeStyle = color
    ctx.setLineDash([6, 6])
    ctx.beginPath()
    ctx.moveTo(bbox.left, y)
    ctx.lineTo(bbox.left + bbox.width, y)
    ctx.stroke()
    ctx.restore()
  }
}
