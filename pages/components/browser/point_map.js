const DISC = 3 // the radius of a point, in pixels; of training images rings, as wide as their edge is
const RING = 2.6
const EDGE = 1.5

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
    onPointed(node, (event) => {
      if (!drawn && this.places) lab.aim(this.nearest(...this.at(event), 18), this)
    })
    node.addEventListener("pointerleave", () => !drawn && lab.aim(-1))
    node.addEventListener("blur", () => lab.aim(-1))
    const show = onceAFrame(() => {
      if (!drawn || !this.places) return
      set(this.path, { d: drawn.length > 1 ? `M${drawn.map((p) => p.map((v) => v.toFixed(1)).join(" ")).join("L")}Z` : null })
      if (drawn.length > 2) this.lab.selection.preview(this.inside(drawn))
    })
    const stop = (found) => {
      drawn = null
      set(this.path, { d: null })
      if (found) this.choose(found)
      else lab.selection.update()
    }
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
      end: () => stop(this.places && drawn.length > 4 ? this.inside(drawn) : null), // the map may have gone meanwhile
      cancel: () => stop(null),
    })
    node.addEventListener("keydown", (event) => {
      const way = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key]
      if (!this.places || isShortcut(event)) return
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
