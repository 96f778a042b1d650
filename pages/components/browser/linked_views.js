// The linked views of a run and its baseline.

/** The map of one detector at a time, coloured by group or by its score. */
class EmbeddingMap extends PointMap {
  constructor(lab) {
    super(lab, "map")
    this.of = segmented("Whose embedding", { baseline: "", run: "" }, (value) => lab.choose({ map_of: value }))
    this.by = segmented("Colour by", { category: "Category", score: "Score" }, (value) => lab.choose({ colour_by: value }))
    this.tools.append(this.of.node, this.by.node)
    this.scaleKey = svg("g", { class: "colour-key" })
    this.path.before(this.scaleKey)
  }

  draw() {
    const { lab, detector, coloured } = this
    const { detectors, header } = lab
    this.entitle("Embedding (t-SNE)")
    groupButtons(this.legend, this.name, { lab, field: "hidden_points", coloured })
    set(this.of.node, { hidden: detectors.length < 2 ? "" : null })
    for (const d of detectors) set(this.of.node.querySelector(`[data-value=${lab.role(d)}]`), { text: d.name })
    this.of.show(lab.role(detector))
    this.by.show(lab.state.colour_by)
    this.caption.textContent = detector.map
      ? "Hover for the image and its pair; drag a lasso to select, with Shift to add. Hollow: training. " +
        "Near points are alike; distances between clusters mean little."
      : ""
    this.scaleKey.replaceChildren()
    this.plot(detector.map, {
      height: clamp(Math.round(this.room * 0.72), 320, 470),
      status: header.mapStatus,
      about: `t-SNE map of the code of ${detector.name}: ${count(lab.group.length)} images.`,
    })
  }

  colour() {
    super.colour()
    this.scaleKey.replaceChildren()
    if (this.coloured) return
    const { lab, detector, domain } = this
    const id = `score-${lab.header.key.replace(/\W/g, "")}`
    const [x, y, w] = [14, this.height - 30, 150]
    this.keyAt = linear([0, 1], [x, x + w])
    this.keyMark = svg("path", { class: "key-mark" })
    this.scaleKey.append(
      gradient(id, VIRIDIS),
      svg("rect", { class: "key-paper", x: 6, y: y - 20, width: w + 16, height: 44, rx: 4 }),
      svg("text", { class: "label", x, y: y - 8, text: `score of ${clip(detector.name, 14)}` }),
      svg("rect", { x, y, width: w, height: 8, rx: 2, fill: `url(#${id})` }),
      svg("text", { class: "tick", x, y: y + 20, text: `≤ ${short(domain[0], 2)}` }),
      svg("text", { class: "tick", x: x + w, y: y + 20, "text-anchor": "end", text: `≥ ${short(domain[1], 2)}` }),
      this.keyMark
    )
    this.update()
  }

  /** The threshold on the scale of colours. */
  update() {
    if (!this.places || this.coloured) return
    const at = this.keyAt(clamp(this.place(this.detector.threshold(this.lab.state.fpr)), 0, 1))
    set(this.keyMark, { d: `M${at.toFixed(1)} ${this.height - 33}v14` })
  }
}

/** The views of a run and its baseline. The linked quantity is the false-positive rate: it gives each detector its threshold. */
class Lab extends Linked {
  constructor(root) {
    super(set(root, { "data-testid": "linked-views" }))
  }

  assemble() {
    this.histograms = new Histograms(this)
    this.recon = new Reconstructions(this)
    this.map = new EmbeddingMap(this)
    this.figures = [this.histograms, new Roc(this), new Counts(this), this.recon, this.map, this.selection]
    this.illustrated = [this.recon, this.selection]
    this.root.replaceChildren(...this.figures.map((figure) => figure.node), this.tooltip.node)
  }

  take(header, part, samePoints) {
    super.take(header, part, samePoints)
    this.detectors = header.detectors.map((d, k) => {
      const scores = (name) => numbers(part(`${name}${k}`), Float32Array)
      const all = { scores: scores("scores"), normal: scores("normal"), anomalous: scores("anomalous") }
      const detector = new Detector(k, d, all)
      detector.map = numbers(part(`map${k}`), Float32Array)
      detector.taken = numbers(part(`taken${k}`), Uint8Array)
      detector.certainty = numbers(part(`certainty${k}`), Uint8Array)
      if (samePoints) detector.sheets = this.detectors[k]?.sheets ?? {}
      return detector
    })
    this.run = this.detectors.at(-1)
    this.paired = this.members[ANOMALOUS].every((i) => this.pair[i] >= 0)
  }

  async decode(header) {
    const { columns, size, sheets: known } = header
    const load = async (name, stops) => name in known && tiles(known[name], { columns, size, stops })
    const of = (k) => Promise.all([load(`reconstructions${k}`, null), load(`errors${k}`, INFERNO)])
    const [originals, ...sheets] = await Promise.all([super.decode(header), ...header.detectors.map((_, k) => of(k))])
    return { ...originals, sheets }
  }

  illustrate(pictures) {
    super.illustrate(pictures)
    pictures.sheets.forEach(([reconstructions, errors], k) => (this.detectors[k].sheets = { reconstructions, errors }))
  }

  /** Whether the detectors explain in pictures, and so score errors; known before these are decoded. */
  get pictured() {
    return "reconstructions0" in this.header.sheets
  }

  role = (detector) => (detector === this.run ? "run" : "baseline")

  get scaleKind() {
    const { scale } = this.state
    if (this.detectors.some((d) => d.span[0] <= 0)) return "linear"
    return scale === "auto" ? this.header.scale : scale
  }

  get mapDetector() {
    return this.state.map_of === "baseline" ? this.detectors[0] : this.run
  }

  get sort() {
    const { sort, lasso } = this.state
    return (sort === "lasso" && !lasso.length) || (sort === "disagreement" && this.detectors.length < 2) ? "nearest" : sort
  }

  /** Whether a detector is right about a test image at the threshold; null for training images. */
  right(detector, i) {
    if (this.group[i] < NORMAL) return null
    return detector.scores[i] >= detector.threshold(this.state.fpr) === (this.group[i] === ANOMALOUS)
  }

  pictures(i) {
    const { reconstructions } = this.mapDetector.sheets
    return [...super.pictures(i), ...(reconstructions ? [[reconstructions.tile(i), "reconstruction", "transparent"]] : [])]
  }

  cardPictures(i) {
    const { reconstructions } = this.mapDetector.sheets
    return [...super.cardPictures(i), ...(reconstructions ? [reconstructions.tile(i)] : [])]
  }

  get lassoed() {
    const pictures = this.mapDetector.sheets.reconstructions ? ", reconstruction" : ""
    return `Image${pictures} and score of ${this.mapDetector.name}, highest first in each group.`
  }

  lassoHint = "Draw around points on the map to see their images and scores here, and their scores under the histograms."

  /** The threshold follows a pointer on the node to the false-positive rate of its place, `fpr(event)`; the slider then has the
   * keyboard. */
  slidable(node, slider, fpr) {
    let before
    draggable(node, {
      start: () => {
        before = this.state.fpr
        focusQuietly(slider)
      },
      move: (event) => this.slide(fpr(event)),
      end: () => this.settle(),
      cancel: () => this.slide(before),
    })
  }

  /** The threshold moves. */
  slide(fpr) {
    this.state.fpr = Math.round(fpr * 1e6) / 1e6
    this.changed()
  }

  /** Arrow keys on a slider; `sign` is the way in which the false-positive rate grows. */
  stepped(event, sign) {
    if (isShortcut(event)) return
    const big = event.shiftKey || event.key.startsWith("Page") ? 10 : 1
    const step = { ArrowRight: 1, ArrowUp: 1, PageUp: 1, ArrowLeft: -1, ArrowDown: -1, PageDown: -1 }[event.key]
    const end = { Home: sign > 0 ? 0 : 1, End: sign > 0 ? 1 : 0 }[event.key]
    if (step === undefined && end === undefined) return
    event.preventDefault()
    this.slide(end ?? clamp(this.state.fpr + sign * step * big * 0.005, 0, 1))
    clearTimeout(this.settling)
    this.settling = setTimeout(() => this.settle(), 400)
  }

  /** The threshold stays: tell the page. */
  settle() {
    this.state.fpr = Math.round(this.state.fpr * 1e4) / 1e4
    this.changed()
    this.tell()
  }

  toggled(change) {
    const any = (...names) => names.some((name) => name in change)
    if (any("scale", "hidden_bars")) this.histograms.draw()
    if (any("scale", "map_of", "colour_by", "hidden_points")) this.map.draw()
  }

  leave() {
    super.leave()
    clearTimeout(this.settling)
  }
}

export default (component) => mount(component, Lab)
