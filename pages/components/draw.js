// Drawing primitives shared by the pages' components. Each component is one module, so this file is prefixed to theirs and
// exports nothing. Here all is SVG, which is what is downloaded; what has too many parts for it paints itself on a canvas.

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

/** A number as one reads it in a figure: three significant digits, no leading zeros to count. */
function short(value, digits = 3) {
  if (!Number.isFinite(value)) return "–"
  if (value === 0) return "0"
  const size = Math.abs(value)
  if (size >= 1e5 || size < 1e-4) return value.toExponential(1).replace("e+", "e").replace("-", "−").replace("e-", "e−")
  const places = clamp(digits - 1 - Math.floor(Math.log10(size)), 0, 8)
  return value.toFixed(places).replace("-", "−")
}

/** A tick's number: as short as it can be said. */
function tickText(value) {
  const size = Math.abs(value)
  if (value !== 0 && (size >= 1e5 || size < 1e-4)) return value.toExponential().replace("e-", "e−").replace("e+", "e")
  return String(Number(value.toPrecision(6))).replace("-", "−")
}

/** A share (0 to 1) as per cent. */
const percent = (share, places = 1) => (Number.isFinite(share) ? `${(100 * share).toFixed(places)}%` : "–")

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

// Viridis at nine stops and Inferno at nine: perceptually even, readable in grey and for the colour-blind.
const VIRIDIS = ["#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725"]
const INFERNO = ["#000004", "#210c4a", "#57106e", "#8a226a", "#bc3754", "#e45a31", "#f98e09", "#f9cb35", "#fcffa4"]

/** [r, g, b], 0 to 255, of a CSS colour `#rrggbb` or `rgb(…)`. */
const channels = (colour) =>
  colour.startsWith("#")
    ? [1, 3, 5].map((k) => parseInt(colour.slice(k, k + 2), 16))
    : (colour.match(/[\d.]+/g) ?? [255, 255, 255]).slice(0, 3).map(Number)

/** The colour at `share` (0 to 1) of a list of stops, as [r, g, b]. */
function colourAt(stops, share) {
  const place = clamp(Number.isFinite(share) ? share : 0, 0, 1) * (stops.length - 1)
  const k = Math.min(Math.floor(place), stops.length - 2)
  const [a, b] = [channels(stops[k]), channels(stops[k + 1])]
  return a.map((value, c) => Math.round(value + (b[c] - value) * (place - k)))
}

const rgb = (colour) => `rgb(${colour.join(",")})`

/** Relative luminance (WCAG) of a CSS colour `#rrggbb` or `rgb(…)`. */
function luminance(colour) {
  const [r, g, b] = channels(colour).map((value) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4))
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

const isDark = (paper) => luminance(paper) < 0.2

/** The colour that `root` is drawn on; `root` is marked light or dark, for theme.css. */
function theme(root) {
  const paper = getComputedStyle(root).getPropertyValue("--st-background-color").trim() || "#ffffff"
  set(root, { "data-theme": isDark(paper) ? "dark" : "light" })
  return paper
}

/** A fixed colour `#rrggbb`; for a dark page mixed with white until its contrast with it is 4.5. */
function readable(colour, paper) {
  let mixed = channels(colour)
  while (isDark(paper) && (luminance(rgb(mixed)) + 0.05) / (luminance(paper) + 0.05) < 4.5)
    mixed = mixed.map((v) => Math.min(255, v + 8))
  return `#${mixed.map((v) => v.toString(16).padStart(2, "0")).join("")}`
}

/** A `<linearGradient>` of stops, to be filled with `url(#id)`. */
function gradient(id, stops) {
  return svg(
    "linearGradient",
    { id },
    ...stops.map((colour, k) => svg("stop", { offset: k / (stops.length - 1), "stop-color": colour }))
  )
}

/** A file at an address of pictures.py. */
async function fetched(address, tries = 5) {
  const answer = await fetch(address)
  if (answer.ok) return answer.arrayBuffer()
  // Between two runs of the page's script the server may have dropped it: it is there again in a moment.
  if (!tries) throw new Error(`${address}: ${answer.status}`)
  await new Promise((resolve) => setTimeout(resolve, 500))
  return fetched(address, tries - 1)
}

const KEPT = 60 // sheets
const decoded = new Map() // by address and colouring; the latest last

/**
 * The tiles of sheets, [address, number of tiles] each, one after the other: squares of `size` pixels, `columns` in a row of a
 * sheet. `tile(index)` gives one as a data URL (cut once, then kept), so that it can be put in an `<image>` or `<img>` and
 * survives in a downloaded SVG. With `stops` the grey tiles are coloured.
 */
async function tiles(sheets, { columns, size, stops = null }) {
  const all = await Promise.all(sheets.map(([address]) => {
    const key = `${address} ${stops}`
    const known = decoded.get(key) ?? sheet(address, { columns, size, stops })
    known.catch(() => decoded.delete(key))
    decoded.delete(key)
    decoded.set(key, known)
    if (decoded.size > KEPT) decoded.delete(decoded.keys().next().value)
    return known
  }))
  return {
    tile(index) {
      let k = 0
      for (; index >= sheets[k][1]; k++) index -= sheets[k][1]
      return all[k](index)
    },
  }
}

/** Gives a tile of one sheet. */
async function sheet(address, { columns, size, stops }) {
  const bitmap = await createImageBitmap(new Blob([await fetched(address)]))
  const canvas = html("canvas", { width: size, height: size })
  const context = canvas.getContext("2d", { willReadFrequently: true })
  const table = stops && Array.from({ length: 256 }, (_, grey) => colourAt(stops, grey / 255))
  const cut = new Map()
  return (index) => {
    if (!cut.has(index)) {
      context.drawImage(bitmap, (index % columns) * size, Math.floor(index / columns) * size, size, size, 0, 0, size, size)
      if (table) {
        const picture = context.getImageData(0, 0, size, size)
        for (let k = 0; k < picture.data.length; k += 4) picture.data.set(table[picture.data[k]], k)
        context.putImageData(picture, 0, 0)
      }
      cut.set(index, canvas.toDataURL("image/png"))
    }
    return cut.get(index)
  }
}

// Everything the style sheet may set on an SVG element; a downloaded file has no style sheet.
const DRAWN = [
  "fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap", "stroke-linejoin",
  "opacity", "font-family", "font-size", "font-weight", "font-variant-numeric", "paint-order", "image-rendering",
]

/** A text in lines of at most `length` characters. */
function wrapped(text, length) {
  const lines = []
  for (const word of text.split(" ").filter(Boolean)) {
    if (lines.length && lines.at(-1).length + 1 + word.length <= length) lines[lines.length - 1] += ` ${word}`
    else lines.push(word)
  }
  return lines
}

/**
 * The figure as a free-standing SVG: computed styles written into it, the page's background under it, `title`, `subtitle`
 * and `legend` ([{text, colour, hollow}]) above it. What is marked `data-screen` (handles, hit areas) stays on the screen.
 */
function standalone(figure, { title, subtitle = "", legend = [] }) {
  const { width, height } = figure.viewBox.baseVal
  const style = getComputedStyle(figure)
  const copy = figure.cloneNode(true)
  const [from, to] = [[figure, ...figure.querySelectorAll("*")], [copy, ...copy.querySelectorAll("*")]]
  from.forEach((node, k) => {
    if (getComputedStyle(node).display === "none" || node.hasAttribute("data-screen")) {
      to[k].setAttribute("data-drop", "")
      return
    }
    const computed = getComputedStyle(node)
    for (const name of DRAWN) if (computed.getPropertyValue(name)) to[k].style.setProperty(name, computed.getPropertyValue(name))
    to[k].removeAttribute("class")
  })
  copy.querySelectorAll("[data-drop]").forEach((node) => node.remove())

  const ink = style.getPropertyValue("--st-text-color") || style.color
  const paper = style.getPropertyValue("--st-background-color") || "#ffffff"
  const text = { fill: ink, "font-family": style.fontFamily }
  const head = svg("g", {}, svg("text", { ...text, x: 12, y: 26, "font-size": 15, "font-weight": 600, text: title }))
  let y = 26
  for (const line of wrapped(subtitle, width / 6.4))
    head.append(svg("text", { ...text, x: 12, y: (y += 18), "font-size": 12.5, text: line }))
  let x = Infinity
  for (const item of legend) {
    const advance = item.text.length * 6.6 + 34
    if (x + advance > width + 12) [x, y] = [12, y + 20]
    head.append(
      svg("circle", { cx: x + 5, cy: y - 4, r: 4.5, fill: item.hollow ? "none" : item.colour, stroke: item.colour, "stroke-width": 1.5 }),
      svg("text", { ...text, x: x + 16, y, "font-size": 12, text: item.text })
    )
    x += advance
  }
  const top = y + 14
  const [w, h] = [width + 24, height + top + 12]
  set(copy, { x: 12, y: top, width, height, style: null, role: null, tabindex: null })
  const whole = svg("svg", { xmlns: SVG, viewBox: `0 0 ${w} ${h}`, width: w, height: h }, svg("title", { text: title }))
  whole.append(svg("rect", { width: w, height: h, fill: paper }), head, copy)
  return { source: new XMLSerializer().serializeToString(whole), width: w, height: h }
}

function save(blob, name) {
  const url = URL.createObjectURL(blob)
  html("a", { href: url, download: name }).click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

/** Downloads the figure as `name`.svg, exactly as drawn. */
function saveSvg(figure, name, caption) {
  save(new Blob([standalone(figure, caption).source], { type: "image/svg+xml" }), `${name}.svg`)
}

/** Downloads the figure as `name`.png at twice its size. */
async function savePng(figure, name, caption) {
  const { source, width, height } = standalone(figure, caption)
  const picture = new Image()
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(source)}`
  await picture.decode()
  const canvas = html("canvas", { width: 2 * width, height: 2 * height })
  const context = canvas.getContext("2d")
  context.scale(2, 2)
  context.drawImage(picture, 0, 0, width, height)
  canvas.toBlob((blob) => save(blob, `${name}.png`), "image/png")
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
