// Small multiples of t-SNE maps: the same points in each, a map for each run and seed. A point that a run does not have (an
// autoencoder without aug has no augmented images) is in its maps neither drawn nor ringed nor caught by a lasso.

const ABSENT = 65535
const LIKE = ["drawn together", "spreading"] // early exaggeration, and after it
const SPEED = 6 // frames a second

/** Coordinates of a message, whole numbers up to ABSENT - 1, as float, NaN for points that are not in the map. */
const coordinates = (whole) => whole && Float32Array.from(whole, (value) => (value === ABSENT ? NaN : value))

class MapPanel extends PointMap {
  constructor(lab, index) {
    super(lab, `map-${index}`)
    this.index = index
    this.note = html("p", { class: "note" })
    this.numbers = html("table", { "data-testid": `numbers-${index}` })
    this.legend.replaceWith(this.note)
    this.caption.replaceWith(this.numbers)
  }

  get spec() {
    return this.lab.header.maps[this.index]
  }

  get detector() {
    return this.lab.detectors[this.spec.run]
  }

  choose(lasso) {
    this.lab.mapDetector = this.detector
    super.choose(lasso)
  }

  draw() {
    const { lab, spec, detector } = this
    const { seeds } = lab.header
    const name = seeds.length > 1 ? `${detector.name}, map seed ${spec.seed}` : detector.name
    this.entitle(name, `Map of ${name}`)
    set(this.note, { text: `AUC ${fixed(detector.auc, 3)}` })
    this.plot(lab.maps[this.index], {
      height: clamp(Math.round(this.room * 0.8), 220, 350),
      status: spec.status,
      about: `t-SNE map of the code of ${name}, AUC ${fixed(detector.auc, 3)}.`,
    })
    // The numbers are of the codes: with two maps of them they stand under the second.
    set(this.numbers, { hidden: spec.seed === seeds.at(-1) ? null : "" })
    const head = ["", "silhouette", "purity", "by chance"].map((text) => html("th", { scope: "col", text }))
    const rows = detector.separations.map(({ label, silhouette, purity, chance }) => {
      const numbers = [silhouette, purity, chance].map((value) => (value == null ? "–" : fixed(value, 2)))
      return html("tr", {}, html("th", { scope: "row", text: label }), ...numbers.map((text) => html("td", { text })))
    })
    this.numbers.replaceChildren(html("thead", {}, html("tr", {}, ...head)), html("tbody", {}, ...rows))
    this.stand(lab.player.at)
  }

  /** The optimisation at a frame, or between two. */
  show(at) {
    this.stand(at)
    this.paint()
    this.point()
  }

  stand(at) {
    const frames = this.lab.frames[this.index]
    if (!frames || !this.places) return
    const first = Math.min(Math.floor(at), frames.length - 1)
    const [a, b] = [frames[first], frames[Math.min(first + 1, frames.length - 1)]]
    this.fit(a.map((value, k) => value + (b[k] - value) * (at - first)))
  }
}

/** What all maps share: groups, colours, and how far the optimisation is. */
class Player {
  constructor(lab) {
    this.lab = lab
    this.legend = html("div", { class: "legend" })
    this.by = segmented("Colour by", { category: "Category", score: "Score" }, (value) => lab.choose({ colour_by: value }))
    this.scale = html("span", { class: "scale" }, "low", html("span", { class: "ramp" }), "high score")
    this.button = html("button", { type: "button", class: "play", "data-testid": "play", onclick: () => this.press() })
    this.range = html("input", { type: "range", min: 0, step: "any", "aria-label": "Iteration", "data-testid": "iteration" })
    this.range.addEventListener("input", () => {
      this.pause()
      this.go(Number(this.range.value))
    })
    this.said = html("span", { "data-testid": "iterations" }) // no live region: it changes with every frame
    const course = html("div", { class: "course" }, this.button, this.range, this.said)
    this.node = html("div", { class: "player" }, this.legend, html("div", { class: "tools" }, this.by.node, this.scale), course)
    this.at = 0
  }

  get last() {
    return Math.max(0, ...this.lab.frames.map((frames) => (frames ? frames.length - 1 : 0)))
  }

  draw() {
    const { lab } = this
    const coloured = lab.state.colour_by === "category"
    groupButtons(this.legend, "maps", { lab, field: "hidden_points", coloured })
    this.by.show(lab.state.colour_by)
    set(this.scale, { hidden: coloured ? "" : null })
    set(this.scale.children[0], { style: `background: linear-gradient(90deg, ${VIRIDIS.join(",")})` })
    this.label()
  }

  /** Other maps: whoever waits for the start waits for theirs. */
  take() {
    this.rest()
    if (this.wanted && !this.lab.header.waiting) this.load()
  }

  /** The maps stand at the end, as they are. */
  rest() {
    this.pause()
    this.at = this.last
    set(this.range, { max: Math.max(1, this.last) })
    this.range.value = this.last ? this.at : 1
  }

  label() {
    const { every, exaggerated } = this.lab.header.course
    const iteration = Math.round((this.at + 1) * every)
    const { waiting } = this.lab.header
    set(this.button, { text: this.running ? "Pause" : this.wanted ? "Loading…" : "Play", disabled: waiting || this.wanted ? "" : null })
    set(this.button, { title: waiting ? "When all maps are there" : "How t-SNE has come to these maps" })
    set(this.range, { disabled: this.last ? null : "" })
    const phase = LIKE[Number(iteration > exaggerated)]
    set(this.said, { text: this.last ? `iteration ${iteration} of ${(this.last + 1) * every}, ${phase}` : "the optimisation" })
    set(this.range, { "aria-valuetext": this.said.textContent })
  }

  press() {
    if (this.running) {
      this.pause()
      this.label()
    } else if (this.last) this.start()
    else this.load()
  }

  /** Frames are fetched when they are asked for: they are more than all the rest. */
  async load() {
    const { lab } = this
    const { version } = lab.header
    this.wanted = true
    this.label()
    lab.say("")
    const frames = await lab.fetchFrames().catch(() => null)
    if (lab.header.version !== version) return // `take` has asked for those of the other maps
    this.wanted = false
    if (!frames) lab.say("The optimisation could not be fetched. Press Play to try again.")
    lab.frames = frames ?? []
    this.rest()
    if (this.last) this.start()
    else this.label()
  }

  start() {
    const from = this.at >= this.last ? 0 : this.at
    let start = null
    const step = (time) => {
      start ??= time
      const at = Math.min(this.last, from + ((time - start) / 1000) * SPEED)
      this.running = at < this.last ? requestAnimationFrame(step) : null
      this.go(at)
    }
    this.running = requestAnimationFrame(step)
    this.label()
  }

  pause() {
    cancelAnimationFrame(this.running)
    this.running = null
  }

  /** To a frame. */
  go(at) {
    this.at = at
    this.range.value = at
    for (const panel of this.lab.panels) panel.show(at)
    this.label()
  }

  update() {}
  select() {}
  point() {}
}

class Maps extends Linked {
  constructor(root) {
    super(set(root, { "data-testid": "maps" }))
    this.panels = []
    this.player = new Player(this)
    this.grid = html("div", { class: "grid" })
  }

  assemble() {
    const { length } = this.header.maps
    // Panels stay where they are: one may be in the middle of a lasso, or have the keyboard, when another map comes.
    while (this.panels.length < length) {
      const panel = new MapPanel(this, this.panels.length)
      this.panels.push(panel)
      this.grid.append(panel.node)
    }
    while (this.panels.length > length) this.panels.pop().node.remove()
    this.illustrated = [this.selection]
    this.figures = [this.player, ...this.panels, this.selection]
    if (!this.grid.isConnected) this.root.replaceChildren(this.player.node, this.grid, this.selection.node, this.tooltip.node)
  }

  take(header, part, samePoints) {
    const sameRuns = samePoints && this.sheetOf === header.sheetOf
    super.take(header, part, sameRuns)
    this.sheetOf = header.sheetOf
    const chosen = sameRuns ? this.detectors.indexOf(this.mapDetector) : header.chosen
    this.detectors = header.runs.map((run, k) => ({ ...run, scores: numbers(part(`scores${k}`), Float32Array) }))
    this.mapDetector = this.detectors[chosen]
    this.maps = header.maps.map((_, m) => coordinates(numbers(part(`map${m}`), Uint16Array)))
    this.frames = []
    if (this.figures) this.assemble()
    this.player.take()
  }

  /** The optimisation of every map, for the player: its frames, null where there is no map. */
  async fetchFrames() {
    const size = 2 * this.group.length
    const all = await Promise.all(this.header.maps.map(({ frames }) => frames && fetched(frames)))
    return all.map((bytes) => {
      if (!bytes) return null
      const places = coordinates(new Uint16Array(bytes))
      return Array.from({ length: places.length / size }, (_, f) => places.subarray(f * size, (f + 1) * size))
    })
  }

  /** Maps of one run stand under each other, a row for each seed. */
  draw() {
    const { runs, seeds } = this.header
    const width = this.width || this.root.clientWidth
    const most = width < 560 ? 1 : width < 820 ? 2 : runs.length === 4 ? 2 : 3
    const columns = Math.min(most, runs.length)
    if (columns !== this.columns || this.panels.some((panel) => !panel.room)) this.width = 0 // the panels' may be others
    this.columns = columns
    this.grid.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`
    for (const { node, spec } of this.panels) {
      const block = Math.floor(spec.run / columns)
      node.style.order = (block * seeds.length + seeds.indexOf(spec.seed)) * columns + (spec.run % columns)
    }
    super.draw()
  }

  get scaleKind() {
    return this.header.scale
  }

  /** An augmented image is what the run's own aug made of it; a run that has none shows the first other's. */
  tile(i, detector = this.hovered) {
    const start = this.members[1][0]
    if (this.group[i] !== 1) return this.originals.tile(i)
    const { augmented } = detector.augmented === null ? this.detectors.find((d) => d.augmented !== null) ?? { augmented: start } : detector
    return this.originals.tile(augmented + i - start)
  }

  cardPictures(i) {
    return this.originals ? [this.tile(i, this.mapDetector)] : []
  }

  get lassoed() {
    return `Image and score of ${this.mapDetector.name}, highest first in each group.`
  }

  lassoHint = "Draw around points on a map: the same images are marked in all maps and shown here."

  toggled(change) {
    if ("colour_by" in change || "hidden_points" in change) for (const figure of [this.player, ...this.panels]) figure.draw()
  }

  leave() {
    super.leave()
    this.player.pause()
  }
}

export default (component) => mount(component, Maps)
