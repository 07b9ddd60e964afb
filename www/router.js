// Which view is shown: the address says so, `#/browser/user:1`. Views other than the terminal are loaded when first shown.

import { element } from './element.js'

/**
 * @typedef {object} View
 * @property {HTMLElement} element
 * @property {(path: string) => void} show called with the rest of the address whenever it is shown or the address changes
 * @property {() => void} hide called when another is shown; it has to stop all timers
 */

export class Router {
  #links
  #place
  #loaders
  #views = new Map()
  #current = null
  #wanted = ''

  /** `links` are the links to the views, `place` is where they go, `loaders` has for each name what loads or makes its view. */
  constructor({ links, place, loaders }) {
    this.#links = links
    this.#place = place
    this.#loaders = loaders
    window.addEventListener('hashchange', () => this.follow())
  }

  /** Shows what the address says, and returns the view. */
  async follow() {
    const [, named = '', path = ''] = /^#\/([\w-]*)\/?(.*)$/s.exec(location.hash) ?? []
    const name = Object.hasOwn(this.#loaders, named) ? named : Object.keys(this.#loaders)[0]
    this.#wanted = name
    for (const link of this.#links) {
      if (link.hash === `#/${name}`) link.setAttribute('aria-current', 'page')
      else link.removeAttribute('aria-current')
    }
    const view = await this.#view(name)
    // Another one may have been asked for while this one was loaded.
    if (this.#wanted !== name) return
    if (this.#current !== view) {
      this.#current?.hide()
      if (this.#current) this.#current.element.hidden = true
      view.element.hidden = false
      if (!view.element.isConnected) this.#place.append(view.element)
      this.#current = view
    }
    view.show(decode(path))
    return view
  }

  #view(name) {
    if (!this.#views.has(name)) this.#views.set(name, Promise.resolve(this.#loaders[name]()).catch((error) => this.#missing(name, error)))
    return this.#views.get(name)
  }

  #missing(name, error) {
    this.#views.delete(name)
    const text = `This part of the page could not be loaded (${error.message}). Once you are connected again, choose it once more; the store and the terminal go on.`
    return { element: element('section', { class: 'view missing', role: 'alert' }, element('p', {}, text)), show() {}, hide() { this.element.remove() } }
  }
}

function decode(path) {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
