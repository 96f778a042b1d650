// Drawing primitives. Each component is one module, put together from files of this folder (component.py), of which the last
// exports what it does; what it names comes before it. All is SVG, which is what is downloaded; what has too many parts for it
// paints itself on a canvas.

const SVG = "http://www.w3.org/2000/svg"

/** Sets attributes; `null` and `false` remove one, `text` is the content, `on…` are handlers. Returns the node. */
function set(node, attributes = {}) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") {
      if (node.textContent !== String(value)) node.textContent = value
    } else if (name.startsWith("on")) node[name] = value
    else if (value === null || value === undefined || value === false) node.removeAttribute(name)
    else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value)
  }
  return node
}

/** An SVG element with attributes and children. */
function svg(tag, attributes, ...children) {
  const node = set(document.createElementNS(SVG, tag), attributes)
  node.append(...children.filter((child) => child != null))
  return node
}

/** An HTML element with attributes and children. */
function html(tag, attributes, ...children) {
  const node = set(document.createElement(tag), attributes)
  node.append(...children.filter((child) => child != null))
  return node
}

const sum = (values) => values.reduce((total, value) => total + value, 0)

const clamp = (value, low, high) => Math.min(high, Math.max(low, value))

/** Round steps (1, 2, 5 times a power of ten) that cut `low`..`high` into about `count` parts. */
function linearTicks(low, high, count) {
  if (!(high > low)) return [low]
  const raw = (high - low) / Math.max(1, count)
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= raw * 0.999)
  const ticks = []
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) ticks.push(Number((k * step).toPrecision(12)))
  return ticks
}

/** Powers of ten with 2 and 5 (or 1 to 9 within less than a decade) between `low` and `high`, both positive. */
function logTicks(low, high) {
  const decades = Math.log10(high / low)
  const factors = decades > 3 ? [1] : decades > 1.6 ? [1, 3] : decades > 0.7 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 8]
  const ticks = []
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++)
    for (const factor of factors) {
      const tick = Number((factor * 10 ** power).toPrecision(12))
      if (tick >= low * 0.9999 && tick <= high * 1.0001) ticks.push(tick)
    }
  return ticks
}

/** A function from `domain` to `range` (two numbers each), with `invert`, `ticks(count)`, `domain` and `range`. */
function scale(kind, domain, range) {
  const [forward, back] = kind === "log" ? [Math.log, Math.exp] : [(v) => v, (v) => v]
  const low = forward(domain[0])
  const span = forward(domain[1]) - low || 1
  const to = (value) => range[0] + ((forward(value) - low) / span) * (range[1] - range[0])
  to.invert = (at) => back(low + ((at - range[0]) / (range[1] - range[0])) * span)
  to.ticks = (count) => (kind === "log" ? logTicks(...domain) : linearTicks(...domain, count))
  to.domain = domain
  to.range = range
  return to
}

const linear = (domain, range) => scale("linear", domain, range)

/** A number with so many decimals. What lies halfway, an odd multiple of a power of two, goes to the even digit, as Python
 * writes it on the other pages; toFixed takes it up. */
function fixed(value, places) {
  const text = value.toFixed(places)
  const up = Math.abs(value * 2 ** (places + 1)) % 2 === 1 && text.at(-1) % 2 === 1
  return (up ? (value * (1 - Number.EPSILON)).toFixed(places) : text).replace("-", "−")
}

/** A number as one reads it in a figure: three significant digits, no leading zeros to count. */
function short(value, digits = 3) {
  if (!Number.isFinite(value)) return "–"
  if (value === 0) return "0"
  const size = Math.abs(value)
  if (size >= 1e5 || size < 1e-4) return value.toExponential(digits - 1).replace("e+", "e").replace("-", "−").replace("e-", "e−")
  const places = clamp(digits - 1 - Math.floor(Math.log10(size)), 0, 8)
  return fixed(value, places)
}

/** A tick's number: as short as it can be said. */
function tickText(value) {
  const size = Math.abs(value)
  if (value !== 0 && (size >= 1e5 || size < 1e-4)) return value.toExponential().replace("e-", "e−").replace("e+", "e")
  return String(Number(value.toPrecision(6))).replace("-", "−")
}

/** A share (0 to 1) as per cent. */
const percent = (share, places = 1) => (Number.isFinite(share) ? `${fixed(100 * share, places)}%` : "–")

/** A text of at most so many letters. */
const clip = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text)

/** Thousands are set apart, as in 1,600. */
const count = (value) => value.toLocaleString("en-US")

/** `cells` + 1 edges, even on the scale `kind`. */
function edgesOf(kind, [low, high], cells) {
  const place = scale(kind, [low, high], [0, cells])
  return Array.from({ length: cells + 1 }, (_, k) => (k === 0 ? low : k === cells ? high : place.invert(k)))
}

/** The share of `values` in each cell between `edges` (even on the scale `kind`); what lies outside goes to the ends. */
function shares(values, kind, edges) {
  const cells = edges.length - 1
  const place = scale(kind, [edges[0], edges[cells]], [0, cells])
  const found = new Float64Array(cells)
  for (const value of values) found[clamp(Math.floor(place(value)), 0, cells - 1)] += 1 / values.length
  return found
}

/** The outline of a histogram as a path: `heights` between `edges`, down to `base` at both ends. */
function stepPath(heights, edges, x, y, base = 0) {
  let path = `M${x(edges[0]).toFixed(1)} ${y(base).toFixed(1)}`
  heights.forEach((height, k) => {
    path += `V${y(height).toFixed(1)}H${x(edges[k + 1]).toFixed(1)}`
  })
  return `${path}V${y(base).toFixed(1)}`
}

/** A polyline through [x, y] pairs as a path; where a number is missing the line is broken. */
function linePath(points) {
  let path = ""
  let pen = "M"
  for (const [x, y] of points) {
    if (Number.isFinite(x) && Number.isFinite(y)) {
      path += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`
      pen = "L"
    } else pen = "M"
  }
  return path
}

/** A bottom axis at height `at`: numbers `drop` below it, grid lines up to `top` if given, and the label at the right. */
function axisBottom(x, { at, top, label, ticks, format = tickText, numbers = true, drop = 15 }) {
  const group = svg("g", { class: "axis", "aria-hidden": "true" })
  let free = -Infinity
  for (const tick of ticks ?? x.ticks((x.range[1] - x.range[0]) / 80)) {
    const px = x(tick)
    if (top !== undefined) group.append(svg("line", { class: "grid", x1: px, x2: px, y1: top, y2: at }))
    const text = format(tick)
    const half = text.length * 3.3 + 4
    if (!numbers || px - half < free) continue
    free = px + half
    group.append(svg("text", { class: "tick", x: px, y: at + drop, "text-anchor": "middle", text }))
  }
  group.append(svg("line", { class: "base", x1: x.range[0], x2: x.range[1], y1: at, y2: at }))
  if (label) group.append(svg("text", { class: "label", x: x.range[1], y: at + 31, "text-anchor": "end", text: label }))
  return group
}

/** A left axis at `at`: numbers, grid lines over to `right` if given, and the label above the axis. */
function axisLeft(y, { at, right, label, ticks, format = tickText }) {
  const group = svg("g", { class: "axis", "aria-hidden": "true" })
  for (const tick of ticks ?? y.ticks(Math.abs(y.range[1] - y.range[0]) / 36)) {
    const py = y(tick)
    if (right !== undefined) group.append(svg("line", { class: "grid", x1: at, x2: right, y1: py, y2: py }))
    group.append(svg("text", { class: "tick", x: at - 7, y: py + 3.5, "text-anchor": "end", text: format(tick) }))
  }
  if (label) group.append(svg("text", { class: "label", x: at, y: Math.min(...y.range) - 8, "text-anchor": "start", text: label }))
  return group
}

/** Runs `draw` at the next frame, once, however often it is asked for. */
function onceAFrame(draw) {
  let asked = 0
  return () => {
    if (!asked)
      asked = requestAnimationFrame(() => {
        asked = 0
        draw()
      })
  }
}

/** A promise of nothing, kept after so many ms. */
const pause = (ms) => new Promise((done) => setTimeout(done, ms))
