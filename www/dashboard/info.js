// What INFO says, as numbers, and what lies between two answers.

/** @returns {Record<string, string>} every field of INFO */
export function fields(info) {
  return Object.fromEntries(Array.from(info.matchAll(/^([^#:\r\n]+):(.*?)\r?$/gm), ([, name, value]) => [name, value]))
}

/** Commands with how often they were called and how long they took, in microseconds; those called most come first. */
export function commands(info) {
  const all = fields(info)
  const part = (text, name) => Number(new RegExp(`(?:^|,)${name.replace('.', '\\.')}=([\\d.]+)`).exec(text ?? '')?.[1] ?? NaN)
  return Object.entries(all)
    .filter(([name]) => name.startsWith('cmdstat_'))
    .map(([field, text]) => {
      const name = field.slice('cmdstat_'.length)
      const latency = all[`latency_percentiles_usec_${name}`]
      return { name: name.replace('|', ' ').toUpperCase(), calls: part(text, 'calls'), mean: part(text, 'usec_per_call'), p50: part(latency, 'p50'), p99: part(latency, 'p99'), p999: part(latency, 'p99.9') }
    })
    .sort((a, b) => b.calls - a.calls)
}

/** Counters over time: of each sample, what is more than in the one before; the last `kept` of them. */
export class Rates {
  #names
  #kept
  #before = null

  constructor(names, kept) {
    this.#names = names
    this.#kept = kept
    this.series = Object.fromEntries(names.map((name) => [name, []]))
  }

  /** Adds a sample, `seconds` after the one before. A counter that fell was reset, and counts from zero. */
  add(sample, seconds) {
    for (const name of this.#before ? this.#names : []) {
      const more = Number(sample[name]) - Number(this.#before[name])
      this.series[name].push(Math.max(0, more < 0 ? Number(sample[name]) : more) / seconds)
      if (this.series[name].length > this.#kept) this.series[name].shift()
    }
    this.#before = sample
  }
}
