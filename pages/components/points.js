// What components with linked views share, put between draw.js and their own: points that belong to a group and to a pair,
// maps of them, the selection, the tooltip, and `Linked`, which holds the data and the state and tells the figures. A figure
// has draw() (new data, size or theme), update() (threshold, sort, lasso), select() (another selection), point() (another
// point is under the pointer) and, where points can be pointed at, anchor() (where one is).

const NORMAL = 2
const ANOMALOUS = 3
const STRIP = 40 // images of a lasso shown at most
const SOON = 200 // ms that new data wait for their pictures, so that all is drawn at once and nothing jumps

const DISC = 3 // the radius of a point, in pixels; of training images rings, as wide as their edge is
const RING = 2.6
const EDGE = 1.5

const TICK = "M-4.2 .4 L-1.4 3.2 L4.4 -3.2"
const CROSS = "M-3.4 -3.4 L3.4 3.4 M3.4 -3.4 L-3.4 3.4"

/** A message of linked.py: a header and the arrays it points into. */
function unpack(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true)
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)))
  const part = (name) => {
    const [start, size] = header.parts[name] ?? [0, 0]
    return size ? bytes.slice(4 + length + start, 4 + length + start + size) : null // a copy is aligned, a view is not
  }
  return { header, part }
}

/** The numbers in a part of a message, or null where there is none. */
const numbers = (part, Kind) => part && new Kind(part.buffer)

/** `move(event)` from the press of the pointer until the node loses it (by its release, or otherwise), then `end()`; it may
 * leave the node. */
function draggable(node, { start, move, end }) {
  node.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || start?.(event) === false) return
    event.preventDefault()
    node.setPointerCapture(event.pointerId)
    const follow = (moved) => move(moved)
    const stop = () => {
      node.removeEventListener("pointermove", follow)
      end()
    }
    node.addEventListener("pointermove", follow)
    node.addEventListener("lostpointercapture", stop, { once: true })
    move(event)
  })
}

/** Focus that came by the pointer shows no ring until a key is pressed. */
function focusQuietly(node) {
  node.toggleAttribute("data-quiet", true)
  const loud = () => {
    node.removeAttribute("data-quiet")
    for (const name of ["keydown", "blur"]) node.removeEventListener(name, loud)
  }
  for (const name of ["keydown", "blur"]) node.addEventListener(name, loud)
  node.focus({ preventScroll: true })
}

/** Buttons of which one is pressed. */
function segmented(label, options, choose) {
  const buttons = Object.entries(options).map(([value, text]) =>
    html("button", { type: "button", "data-value": value, text, onclick: () => choose(value) })
  )
  const node = html("div", { class: "segmented", role: "group", "aria-label": label }, ...buttons)
  return { node, show: (value) => buttons.forEach((b) => set(b, { "aria-pressed": String(b.dataset.value === value) })) }
}

/** A check or a cross, told apart by shape as well as by colour. */
function mark(right, attributes = {}) {
  return svg("path", { class: right ? "mark right" : "mark wrong", d: right ? TICK : CROSS, ...attributes })
}

/** A mark within text. */
function glyph(right) {
  const label = { role: "img", "aria-label": right ? "right" : "wrong" }
  return svg("svg", { class: "glyph", viewBox: "-6 -6 12 12", width: 12, height: 12, ...label }, mark(right))
}

/** The mark of a group in a text; training groups are hollow. */
function dot(colour, hollow) {
  return html("i", { style: colour && `--colour: ${colour}`, class: hollow ? "hollow" : "" })
}

/** A section with a heading, tools at its right, the drawing and a caption. */
class Figure {
  constructor(lab, name) {
    this.lab = lab
    this.name = name
    this.tools = html("div", { class: "tools" })
    this.legend = html("div", { class: "legend" })
    this.svg = svg("svg", { "data-testid": name, class: "drawing" })
    this.body = html("div", { class: "body" }, this.svg)
    this.caption = html("p", { class: "caption" })
    this.heading = html("h3")
    this.downloads = html("div", { class: "downloads" })
    const caption = () => ({ title: this.heading.textContent, subtitle: lab.header.title, legend: this.key() })
    for (const [kind, download] of [["PNG", savePng], ["SVG", saveSvg]])
      this.downloads.append(
        html("button", {
          type: "button",
          text: kind,
          title: `Download this figure as ${kind}`,
          "data-testid": `download-${name}-${kind.toLowerCase()}`,
          onclick: () => this.complete(() => download(this.svg, `${slug(lab.header.title)}-${name}`, caption())),
        })
      )
    const head = html("header", {}, this.heading, this.tools, this.downloads)
    this.node = html("section", { class: `figure ${name}` }, head, this.legend, this.body, this.caption)
  }

  /** Its heading, and what it and its downloads are called. */
  entitle(heading, called = heading) {
    set(this.heading, { text: heading })
    set(this.node, { "aria-label": called })
    for (const button of this.downloads.children) set(button, { "aria-label": `Download as ${button.textContent}: ${called}` })
  }

  /** The legend of a downloaded figure. */
  key() {
    return []
  }

  /** Downloads the drawing, with what is elsewhere on the screen in it. */
  complete(download) {
    download()
  }

  /** The width there is. */
  measure() {
    this.room = this.body.clientWidth
  }

  size(height) {
    this.width = Math.max(260, Math.floor(this.room))
    this.height = height
    set(this.svg, { viewBox: `0 0 ${this.width} ${height}`, width: this.width, height })
  }
}

/** Buttons in `node` that show and hide groups; `field` of the state has those that are hidden. They stay: one may have the
 * keyboard. */
function groupButtons(node, name, { lab, field, coloured }) {
  const hidden = lab.state[field]
  lab.groups.forEach((group, g) => {
    const gone = hidden.includes(g)
    const button = node.children[g] ?? node.appendChild(html("button", { type: "button", "data-testid": `${name}-group-${g}` }))
    set(button, {
      "aria-pressed": String(!gone),
      title: gone ? `Show ${group.name}` : `Hide ${group.name}`,
      onclick: () => lab.choose({ [field]: gone ? hidden.filter((other) => other !== g) : [...hidden, g].sort() }),
    })
    button.replaceChildren(dot(coloured ? group.colour : null, g < NORMAL), group.name)
  })
}

const clip = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text)
const slug = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") || "ssad"

/** A t-SNE map of a detector's points, to hover over and to draw a lasso on. */
class PointMap extends Figure {
  constructor(lab, name) {
    super(lab, name)
    this.node.classList.add("scatter")
    this.status = html("p", { class: "placeholder", role: "status" })
    this.body.append(this.status)
    this.canvas = html("canvas", { "aria-hidden": "true", "data-testid": `${name}-points` })
    this.body.prepend(this.canvas)
    this.dots = svg("g")
    this.over = svg("g", { class: "over" })
    this.path = svg("path", { class: "lasso", "data-screen": "" })
    this.frame = svg("rect", { class: "frame" })
    this.svg.append(this.frame, this.dots, this.over, this.path)
    set(this.svg, { tabindex: 0, role: "group", "aria-roledescription": "scatter plot" })
    this.listen()
  }

  /** Whose scores and whose `map`, x and y of each point, NaN where it has none, are shown. */
  get detector() {
    return this.lab.mapDetector
  }

  /** Whether the group's colour is what points are drawn in. */
  get coloured() {
    return this.lab.state.colour_by === "category"
  }

  hides(g) {
    return this.lab.state.hidden_points.includes(g)
  }

  key() {
    if (!this.coloured) return []
    const marks = this.lab.groups.map(({ name, colour }, g) => ({ text: name, colour, hollow: g < NORMAL }))
    return marks.filter((_, g) => !this.hides(g))
  }

  listen() {
    const { lab, svg: node } = this
    let drawn = null
    node.addEventListener("pointermove", (event) => {
      if (!drawn && this.places) lab.aim(this.nearest(...this.at(event), 18), this)
    })
    node.addEventListener("pointerleave", () => !drawn && lab.aim(-1))
    node.addEventListener("blur", () => lab.aim(-1))
    const show = onceAFrame(() => {
      if (!drawn || !this.places) return
      set(this.path, { d: drawn.length > 1 ? `M${drawn.map((p) => p.map((v) => v.toFixed(1)).join(" ")).join("L")}Z` : null })
      if (drawn.length > 2) this.lab.selection.preview(this.inside(drawn))
    })
    draggable(node, {
      start: (event) => {
        if (!this.places) return false
        focusQuietly(node)
        drawn = []
        this.adding = event.shiftKey
        lab.aim(-1)
      },
      move: (event) => {
        const at = this.at(event)
        const last = drawn.at(-1)
        if (!last || Math.hypot(at[0] - last[0], at[1] - last[1]) > 2) drawn.push(at)
        show()
      },
      end: () => {
        const found = this.places && drawn.length > 4 ? this.inside(drawn) : null // the map may have gone meanwhile
        drawn = null
        set(this.path, { d: null })
        if (found) this.choose(found)
        else lab.selection.update()
      },
    })
    node.addEventListener("keydown", (event) => {
      const way = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key]
      if (!this.places) return
      if (way) {
        event.preventDefault()
        lab.aim(this.towards(way), this)
      } else if ((event.key === "Enter" || event.key === " ") && lab.pointed >= 0) {
        event.preventDefault()
        const { lasso } = lab.state
        const i = lab.pointed
        this.choose(lasso.includes(i) ? lasso.filter((k) => k !== i) : [...lasso, i].sort((a, b) => a - b))
      } else if (event.key === "Escape") lab.pointed >= 0 ? lab.aim(-1) : lab.choose({ lasso: [] })
    })
  }

  at(event) {
    const box = this.svg.getBoundingClientRect()
    return [event.clientX - box.left, event.clientY - box.top]
  }

  /** Whether a point is there to be seen: of a shown group, and in this map at all. */
  shown(i) {
    return this.places[i] !== null && !this.hides(this.lab.group[i])
  }

  choose(lasso) {
    this.lab.choose({ lasso })
  }

  anchor(i) {
    const box = this.svg.getBoundingClientRect()
    const [x, y] = this.places[i]
    return { x: box.left + x, y: box.top + y, clear: 18 }
  }

  nearest(x, y, within) {
    let [best, found] = [within ** 2, -1]
    this.places.forEach((place, i) => {
      if (!this.shown(i)) return
      const distance = (place[0] - x) ** 2 + (place[1] - y) ** 2
      if (distance < best) [best, found] = [distance, i]
    })
    return found
  }

  /** The next point that way: near, and not far off the way. */
  towards([dx, dy]) {
    const from = this.lab.pointed
    if (from < 0 || !this.places[from]) return this.nearest(this.width / 2, this.height / 2, Infinity)
    const [x, y] = this.places[from]
    let [best, found] = [Infinity, from]
    this.places.forEach((place, i) => {
      if (i === from || !this.shown(i)) return
      const [px, py] = place
      const along = (px - x) * dx + (py - y) * dy
      const across = Math.abs((px - x) * dy + (py - y) * dx)
      if (along <= 0 || across > along) return
      if (along + 2 * across < best) [best, found] = [along + 2 * across, i]
    })
    return found
  }

  /** The shown points within a closed line, with those already selected if Shift was held. */
  inside(line) {
    const { lasso } = this.lab.state
    const kept = this.adding ? new Set(lasso) : new Set()
    const found = []
    this.places.forEach((place, i) => {
      if (kept.has(i)) return found.push(i)
      if (!this.shown(i)) return
      const [x, y] = place
      let within = false
      for (let a = 0, b = line.length - 1; a < line.length; b = a++) {
        const [[ax, ay], [bx, by]] = [line[a], line[b]]
        if (ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax)) within = !within
      }
      if (within) found.push(i)
    })
    return found
  }

  /** The map at a height, or `status` in its place; `about` is its text alternative. Its points are painted by `select`. */
  plot(map, { height, status, about }) {
    this.size(height)
    set(this.frame, { x: 0.5, y: 0.5, width: this.width - 1, height: this.height - 1, rx: 6 })
    set(this.status, { text: map ? "" : status, hidden: map ? "" : null })
    set(this.svg, { "aria-label": map ? `${about} Arrow keys go from point to point, Enter selects.` : status })
    this.places = null
    this.over.replaceChildren()
    if (!map) return
    this.fit(map)
    this.colour()
    this.point()
  }

  /** Places of the points, null for those that are not in the map. One scale for both axes: distances are Euclidean. */
  fit(map) {
    const n = map.length / 2
    const bounds = [0, 1].map((axis) => {
      let [low, high] = [Infinity, -Infinity]
      for (let i = 0; i < n; i++) {
        const value = map[2 * i + axis]
        if (value < low) low = value
        if (value > high) high = value
      }
      return [low, high]
    })
    const margin = 16
    const step = Math.min(...[this.width, this.height].map((size, axis) => (size - 2 * margin) / (bounds[axis][1] - bounds[axis][0] || 1)))
    const middle = bounds.map(([low, high]) => (low + high) / 2)
    this.places = Array.from({ length: n }, (_, i) =>
      Number.isNaN(map[2 * i])
        ? null
        : [this.width / 2 + (map[2 * i] - middle[0]) * step, this.height / 2 - (map[2 * i + 1] - middle[1]) * step]
    )
  }

  colour() {
    const { group, groups, scaleKind } = this.lab
    const { scores } = this.detector
    const sorted = scores.filter((score) => !Number.isNaN(score)).sort()
    this.domain = [sorted[Math.floor(sorted.length * 0.02)], sorted[Math.ceil(sorted.length * 0.98) - 1]]
    this.place = scale(scaleKind, this.domain, [0, 1])
    this.colours = Array.from(group, (g, i) => (this.coloured ? groups[g].colour : rgb(colourAt(VIRIDIS, this.place(scores[i])))))
  }

  update() {}

  select() {
    this.paint()
  }

  /** The points that are to be seen, in a fixed, shuffled order, so that no group lies on top of the others. */
  seen() {
    const { group, shuffled, state } = this.lab
    const chosen = new Set(state.lasso)
    const opacity = (i) => (chosen.has(i) ? 1 : chosen.size ? 0.13 : 0.8)
    const point = (i) => ({ at: this.places[i], colour: this.colours[i], hollow: group[i] < NORMAL, opacity: opacity(i) })
    return this.places ? shuffled.filter((i) => this.shown(i)).map(point) : []
  }

  /** On a canvas: a browser takes long to lay out thousands of nodes. It keeps what it shows, for whoever asks. */
  paint() {
    const { canvas, width, height } = this
    const points = this.seen()
    const sharp = window.devicePixelRatio
    set(canvas, { width: Math.round(width * sharp), height: Math.round(height * sharp), style: `width: ${width}px; height: ${height}px` })
    const context = canvas.getContext("2d")
    context.setTransform(sharp, 0, 0, sharp, 0, 0)
    context.clearRect(0, 0, width, height)
    context.lineWidth = EDGE
    for (const { at, colour, hollow, opacity } of points) {
      context.globalAlpha = opacity
      context.beginPath()
      context.arc(...at, hollow ? RING : DISC, 0, 2 * Math.PI)
      context[hollow ? "strokeStyle" : "fillStyle"] = colour
      hollow ? context.stroke() : context.fill()
    }
    canvas.points = points
    set(canvas, { "data-count": points.length })
  }

  /** Downloaded, points are circles. */
  complete(download) {
    const circle = ({ at: [cx, cy], colour, hollow, opacity }) =>
      svg("circle", hollow ? { cx, cy, r: RING, opacity, fill: "none", stroke: colour, "stroke-width": EDGE } : { cx, cy, r: DISC, opacity, fill: colour })
    this.dots.replaceChildren(...this.seen().map(circle))
    download()
    this.dots.replaceChildren()
  }

  point() {
    this.over.replaceChildren()
    const { pointed, pair, group, groups } = this.lab
    const [own, other] = [pointed, pair[pointed]].map((i) => this.places?.[i])
    const ring = (i, [cx, cy], r) => [
      svg("circle", { class: "ring", cx, cy, r }),
      svg("circle", { cx, cy, r: 4, fill: groups[group[i]].colour }),
    ]
    if (own && other) this.over.append(svg("line", { class: "tie", x1: own[0], y1: own[1], x2: other[0], y2: other[1] }))
    if (other) this.over.append(...ring(pair[pointed], other, 6))
    if (own) this.over.append(...ring(pointed, own, 8))
  }
}

/** What is lassoed: how many, of which groups, and their images. */
class Selection {
  constructor(lab) {
    this.lab = lab
    this.summary = html("strong", { "data-testid": "lasso-summary", role: "status" })
    this.clear = html("button", { type: "button", text: "Clear", "data-testid": "lasso-clear", onclick: () => lab.choose({ lasso: [] }) })
    this.groups = html("div", { class: "by-group", "data-testid": "lasso-groups" })
    this.hint = html("p", { class: "caption" })
    this.strip = html("div", { class: "strip", "data-testid": "lasso-strip" })
    this.more = html("p", { class: "caption", "data-testid": "lasso-more" })
    this.scroll = html("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": "Selected images" }, this.strip, this.more)
    const head = html("header", {}, this.summary, this.clear)
    this.node = html("section", { class: "selection", "aria-label": "Selection" }, head, this.groups, this.hint, this.scroll)
    this.strip.addEventListener("pointerover", (event) => {
      lab.aim(Number(event.target.closest("[data-index]")?.dataset.index ?? -1), this)
    })
    this.strip.addEventListener("pointerleave", () => lab.aim(-1))
  }

  draw() {}

  /** The numbers alone, while the lasso is drawn. */
  preview(found) {
    const { lab } = this
    set(this.summary, { text: `${count(found.length)} of ${count(lab.group.length)} selected` })
    const sizes = lab.groups.map((_, g) => found.filter((i) => lab.group[i] === g).length)
    this.groups.replaceChildren(
      ...lab.groups.map((group, g) =>
        html("span", { "data-group": g }, dot(group.colour, g < NORMAL), `${group.name} `, html("b", { text: count(sizes[g]) }))
      )
    )
  }

  select() {
    const { lab } = this
    const { lasso } = lab.state
    this.preview(lasso)
    set(this.clear, { hidden: lasso.length ? null : "" })
    this.hint.textContent = lasso.length ? lab.lassoed : lab.lassoHint
    const kept = this.sample(lab.mapDetector)
    this.cards = kept.map((i) => {
      const images = lab.cardPictures(i).map((src) => html("img", { src, alt: "", draggable: "false" }))
      const text = html("span", {})
      const style = `--colour: ${lab.groups[lab.group[i]].colour}`
      const node = html("div", { class: "card", "data-index": i, style }, html("div", {}, ...images), text)
      return { i, node, text }
    })
    this.strip.replaceChildren(...this.cards.map((card) => card.node))
    const more = lasso.length - kept.length
    set(this.more, { text: more > 0 ? `+${count(more)} more` : "" })
    this.update()
  }

  /** At most STRIP of the selected, the same share for every group, test images first. */
  sample({ scores }) {
    const { group, state } = this.lab
    const lists = [ANOMALOUS, NORMAL, 1, 0].map((g) => state.lasso.filter((i) => group[i] === g).sort((a, b) => scores[b] - scores[a]))
    let [left, open] = [STRIP, lists.filter((list) => list.length).length]
    const sizes = new Map()
    for (const list of lists.filter((l) => l.length).sort((a, b) => a.length - b.length)) {
      sizes.set(list, Math.min(list.length, Math.floor(left / open--)))
      left -= sizes.get(list)
    }
    return lists.flatMap((list) => list.slice(0, sizes.get(list) ?? 0))
  }

  update() {
    const { lab } = this
    this.preview(lab.state.lasso)
    const detector = lab.mapDetector
    for (const { i, node, text } of this.cards) {
      const right = lab.right(detector, i)
      const said = right === null ? "" : right ? ", on the right side of the threshold" : ", on the wrong side of the threshold"
      text.replaceChildren(...(right === null ? [] : [glyph(right)]), short(detector.scores[i]))
      set(node, { title: `${lab.groups[lab.group[i]].name}, ${lab.label(i)}, score ${short(detector.scores[i])}${said}` })
    }
  }

  anchor(i) {
    const box = this.cards.find((card) => card.i === i).node.getBoundingClientRect()
    return { x: box.left + box.width / 2, y: box.top + box.height / 2, clear: box.width / 2 + 14 }
  }

  point() {
    for (const { i, node } of this.cards) node.classList.toggle("pointed", i === this.lab.pointed)
  }
}

/** The images and numbers of the point under the pointer, beside it. */
class Tooltip {
  constructor(lab) {
    this.lab = lab
    this.node = html("div", { class: "tooltip", "data-testid": "tooltip", "aria-live": "polite", hidden: "" })
  }

  /** At an anchor, or nowhere. */
  show(anchor) {
    const { lab } = this
    const { pointed: i, group, groups, detectors } = lab
    set(this.node, { hidden: anchor ? null : "" })
    if (!anchor) return
    const figures = lab.pictures(i).map(([src, text, colour]) => {
      const image = html("img", { src, width: 96, height: 96, alt: text })
      return html("figure", { style: `--colour: ${colour}` }, image, html("figcaption", { text }))
    })
    const scores = detectors.map((d) => {
      const right = lab.right(d, i)
      const score = html("b", { text: short(d.scores[i], 4) })
      return html("p", { class: "scores" }, html("span", { text: d.name }), score, right === null ? "" : glyph(right))
    })
    const name = html("p", {}, dot(groups[group[i]].colour, group[i] < NORMAL), `${groups[group[i]].name}, ${lab.label(i)}`)
    const taken = detectors.filter((d) => d.taken).map((d) => html("p", { text: `Taken for: ${d.takenFor(i).join(", ")}` }))
    this.node.replaceChildren(html("div", { class: "pictures" }, ...figures), name, ...scores, ...taken)
    const box = lab.root.getBoundingClientRect()
    const { offsetWidth: w, offsetHeight: h } = this.node
    let left = anchor.x - box.left + anchor.clear
    if (left + w > box.width) left = anchor.x - box.left - anchor.clear - w
    const top = clamp(anchor.y - box.top - h / 2, 0, box.height - h)
    this.node.style.transform = `translate(${Math.round(clamp(left, 0, box.width - w))}px, ${Math.round(top)}px)`
  }
}

/** The data, the state, and the figures that show them. What kind they are of says `assemble`. */
class Linked {
  constructor(root) {
    this.root = root
    this.width = 0 // not known
    this.pointed = -1
    this.trouble = html("p", { class: "trouble", role: "alert" })
  }

  build() {
    this.selection = new Selection(this)
    this.tooltip = new Tooltip(this)
    this.assemble()
    this.root.append(this.trouble)
    this.redraw = onceAFrame(() => this.draw())
    this.changed = onceAFrame(() => this.figures.forEach((figure) => figure.update()))
    this.observer = new ResizeObserver(([entry]) => {
      if (Math.abs(entry.contentRect.width - this.width) < 1) return
      this.width = 0
      this.redraw()
    })
    this.observer.observe(this.root)
  }

  /** Takes a message; the same one again, or one whose state the views already hold, changes nothing. */
  async receive(bytes) {
    const { header, part } = unpack(bytes)
    this.latest = header
    const fresh = this.header?.version !== header.version
    const pictures = fresh && this.decode(header)
    const ready = fresh && (await Promise.race([pictures.catch(() => null), pause(SOON)]))
    if (this.latest !== header) return
    const before = this.header
    const known = remembered.get(header.key)
    const pushed = before ? before.revision !== header.revision : known?.revision !== header.revision
    this.header = header
    if (pushed) this.state = { ...header.state }
    else if (!before) this.state = { ...known.state }
    else if (before.id !== header.id) this.state.lasso = []
    if (pushed) this.told = JSON.stringify(this.state)
    this.remember()
    if (fresh) this.take(header, part, before?.id === header.id)
    if (ready) this.illustrate(ready)
    if (!before) {
      this.build()
      this.theme()
    }
    this.tint()
    if (fresh || pushed) this.draw()
    if (this.theme()) {
      this.tint()
      this.draw()
    }
    if (!fresh || ready) return
    const late = await pictures.catch(() => null)
    if (this.header.version !== header.version) return
    if (!late) return this.say("The images could not be fetched. Reload the page to try again.")
    this.illustrate(late)
    this.drawPictures()
  }

  /** The numbers of a message; the old pictures stay until the new ones are there, if they are of the same points. */
  take(header, part, samePoints) {
    if (this.figures) this.aim(-1) // the point may be another, or nowhere
    this.say("")
    this.group = numbers(part("group"), Uint8Array)
    this.pair = numbers(part("pair"), Int32Array)
    if (!samePoints) this.originals = null
    this.members = header.groups.map((_, g) => [...this.group.keys()].filter((i) => this.group[i] === g))
    this.shuffled = [...this.group.keys()].sort((a, b) => hash(a) - hash(b))
    this.state.lasso = this.state.lasso.filter((i) => i < this.group.length)
  }

  /** The sheets of a message, fetched and decoded. */
  async decode(header) {
    return { originals: await tiles(header.sheets.originals, header) }
  }

  /** Shows what `decode` has found from now on. */
  illustrate({ originals }) {
    this.originals = originals
  }

  /** What is drawn on; true if it has changed. To ask has the browser work out all styles, so it comes after drawing. */
  theme() {
    const before = this.paper
    this.paper = theme(this.root)
    return this.paper !== before
  }

  /** Group colours are fixed; on a dark page a dark one is lifted until it can be read. */
  tint() {
    this.groups = this.header.groups.map(({ name, colour }) => ({ name: sentence(name), colour: readable(colour, this.paper) }))
  }

  /** The widths there are, once for all that is drawn until they change: to ask has the browser lay out the page. */
  measure() {
    this.width = this.root.clientWidth
    for (const figure of this.figures) if (figure instanceof Figure) figure.measure()
  }

  /** A figure that is drawn anew is then told of the selection, and need not show it before. */
  draw() {
    if (!this.width) this.measure()
    if (!this.width) return // nobody sees it yet
    for (const figure of this.figures) figure.draw()
    for (const figure of this.figures) figure.select()
  }

  /** Draws anew what has pictures in it, when they are there. */
  drawPictures() {
    for (const figure of this.width ? this.illustrated : []) {
      figure.draw()
      figure.select()
    }
  }

  label(i) {
    return this.header.names[this.header.labels[i]]
  }

  /** A point's image. */
  tile(i) {
    return this.originals.tile(i)
  }

  /** What the tooltip shows of a point: images, what they are, and the colour above them. */
  pictures(i) {
    if (!this.originals) return []
    const { group, groups, pair } = this
    const own = [this.tile(i), "this image", groups[group[i]].colour]
    const twin = pair[i]
    return twin < 0 ? [own] : [own, [this.tile(twin), TWINS[group[i]], groups[group[twin]].colour]]
  }

  /** What the selection shows of a point. */
  cardPictures(i) {
    return this.originals ? [this.tile(i)] : []
  }

  /** Whether a detector is right about an image, where there is a threshold; else null. */
  right() {
    return null
  }

  /** A toggle was clicked, or a lasso closed. */
  choose(change) {
    const same = Object.entries(change).every(([name, value]) => JSON.stringify(this.state[name]) === JSON.stringify(value))
    Object.assign(this.state, change)
    if (same) return this.figures.forEach((figure) => figure.update())
    this.toggled(change)
    for (const figure of this.figures) figure.select()
    this.tell()
  }

  tell() {
    const state = JSON.stringify(this.state)
    if (state === this.told) return
    this.told = state
    this.remember()
    this.component.setStateValue("state", JSON.parse(state))
  }

  remember() {
    remembered.set(this.header.key, { revision: this.header.revision, state: { ...this.state } })
  }

  /** Another point is under the pointer, in a figure. */
  aim(i, figure) {
    if (i === this.pointed) return
    this.pointed = i
    this.hovered = figure?.detector ?? this.mapDetector
    for (const each of this.figures) each.point()
    this.tooltip.show(i < 0 ? null : figure.anchor(i))
  }

  /** Says what went wrong; with "", no more. */
  say(trouble) {
    set(this.trouble, { text: trouble })
  }

  leave() {
    this.latest = null
    this.observer?.disconnect()
  }
}

const TWINS = ["after aug", "before aug", "after gen", "before gen"] // by group

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1)

/** A fixed shuffle: what integers hash to. */
const hash = (k) => Math.imul(k ^ (k >>> 7), 2654435761) >>> 0

const mounted = new WeakMap() // by root
const remembered = new Map() // by key: what a component that is mounted anew goes on with

/** What a component does with each message. */
function mount(component, Kind) {
  const root = component.parentElement.querySelector(".views")
  if (!mounted.has(root)) mounted.set(root, new Kind(root))
  const linked = mounted.get(root)
  linked.component = component
  linked.receive(component.data)
  return () => {
    linked.leave()
    mounted.delete(root)
  }
}
