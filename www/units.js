// Numbers as people read them: bytes, durations, times.

/** Bytes, such as `1.5 MB`. */
export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`
  const power = Math.min(4, Math.floor(Math.log10(bytes) / 3))
  const scaled = bytes / 1000 ** power
  return `${scaled.toFixed(scaled < 10 ? 1 : 0)} ${['', 'kB', 'MB', 'GB', 'TB'][power]}`
}

/** Milliseconds until a key goes, such as `4:59`; a negative one stands for none. */
export function remaining(ms) {
  if (ms < 0) return ''
  const seconds = Math.ceil(ms / 1000)
  const [days, hours, minutes] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60]
  if (days > 0) return `${days} d ${hours} h`
  const two = (it) => String(it).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`
}

/** Microseconds, such as `1.2 ms`. */
export function duration(us) {
  if (us < 1000) return `${us < 10 ? Number(us.toFixed(1)) : Math.round(us)} µs`
  return us < 1_000_000 ? `${(us / 1000).toFixed(us < 10_000 ? 1 : 0)} ms` : `${(us / 1_000_000).toFixed(1)} s`
}

/** Milliseconds since 1970 as the time of day, with the day where it is another than today. */
export function time(ms) {
  const date = new Date(ms)
  if (Number.isNaN(date.getTime())) return ''
  const isToday = date.toDateString() === new Date().toDateString()
  return `${isToday ? '' : `${date.toLocaleDateString('en-GB')} `}${date.toLocaleTimeString('en-GB')}`
}
