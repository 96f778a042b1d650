// The linked views of a run and its baseline.

const BAR = 30 // height of the row of a detector that has bars instead of pictures
const TAKEN = 32 // and of the row that says what it took the images for

const SORTS = {
  nearest: "nearest the threshold",
  highest: "highest score",
  lowest: "lowest score",
  disagreement: "largest disagreement",
  lasso: "as lassoed",
}

/** Scores of one detector, and what a threshold makes of them. An image is flagged from the threshold on. */
class Detector {
  constructor(index, { name, auc, measure, functions }, scores, group) {
    Object.assign(this, { index, name, auc, measure, functions, scores, sheets: {} })
    this.normal = scores.filter((_, i) => group[i] === NORMAL).sort().reverse()
    this.anomalous = scores.filter((_, i) => group[i] === ANOMALOUS).sort().reverse()
    // Knot k flags the k highest normals; the first one, a little above them all, none.
    this.knots = [this.normal[0] + Math.max((this.normal[0] - this.normal.at(-1)) * 0.02, 1e-9), ...this.normal]
  }

  /**
   * The threshold at a false-positive rate: at k of n the score of a normal, in between on the way to the next, so that
   * at most this rate is flagged. A settled rate has four digits; within them k of n is k of n. As `threshold_at_fpr` of
   * ssad_core/histogram.py.
   */
  threshold(fpr) {
    const { knots } = this
    const n = this.normal.length
    const whole = Math.round(fpr * n)
    let place = Math.abs(fpr * n - whole) < 6e-5 * n ? whole : fpr * n
    let k = Math.floor(place)
    while (k > 0 && k < n && knots[k] === knots[k + 1]) place = --k // equal scores are called alike
    return place === k ? knots[k] : knots[k] + (knots[k + 1] - knots[k]) * (place - k)
  }

  /** Where a score lies between the lowest (0), the threshold (.5) and the highest test score (1). */
  share(score, fpr) {
    const middle = this.threshold(fpr)
    const low = Math.min(this.normal.at(-1), this.anomalous.at(-1))
    const high = Math.max(this.normal[0], this.anomalous[0])
    const part = score < middle ? (score - middle) / (middle - low) : (score - middle) / (high - middle || 1)
    return clamp(0.5 + part / 2, 0, 1)
  }

  /** Which of the functions that it tells apart it takes an image for, and how surely. */
  takenFor(i) {
    return [this.functions[this.taken[i]], `${this.certainty[i]}%`]
  }

  /** The inverse of `threshold`, held to [0, 1]. */
  fprAt(threshold) {
    const n = this.normal.length
    if (threshold >= this.knots[0]) return 0
    if (threshold <= this.knots[n]) return 1
    const k = atLeast(this.knots, threshold) - 1
    return (k + (this.knots[k] - threshold) / (this.knots[k] - this.knots[k + 1])) / n
  }

  counts(fpr) {
    const threshold = this.threshold(fpr)
    const [fp, tp] = [atLeast(this.normal, threshold), atLeast(this.anomalous, threshold)]
    const [n, m] = [this.normal.length, this.anomalous.length]
    return { threshold, tp, fp, fn: m - tp, tn: n - fp, tpr: tp / m, fpr: fp / n }
  }

  /** [fpr, tpr] from (0, 0) to (1, 1), a corner for each distinct score. */
  roc() {
    const all = [...this.normal, ...this.anomalous].sort((a, b) => b - a)
    const points = [[0, 0]]
    all.forEach((score, k) => {
      if (k + 1 < all.length && all[k + 1] === score) return
      points.push([atLeast(this.normal, score) / this.normal.length, atLeast(this.anomalous, score) / this.anomalous.length])
    })
    return points
  }
}

/** How many of the descending values are at least `value`. */
function atLeast(values, value) {
  let [low, high] = [0, values.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (values[middle] >= value) low = middle + 1
    else high = middle
  }
  return low
}

class Histograms extends Figure {
  constructor(lab) {
    super(lab, "histograms")
    this.scale = segmented("Scale of the score axis", { linear: "Linear", log: "Log" }, (value) => lab.choose({ scale: value }))
    this.tools.append(this.scale.node)
    this.static = svg("g")
    this.panels = []
    this.svg.append(this.static)
    set(this.svg, { role: "group" })
  }

  key() {
    return this.lab.groups.filter((_, g) => !this.hides(g)).map((group) => ({ text: group.name, colour: group.colour }))
  }

  hides(g) {
    return this.lab.state.hidden_bars.includes(g)
  }

  draw() {
    const { lab } = this
    const { detectors, groups, group } = lab
    this.entitle(lab.pictured ? "Error histograms" : "Score histograms")
    groupButtons(this.legend, this.name, { lab, field: "hidden_bars", coloured: true })
    const tall = detectors.length > 1 ? 124 : 270
    const [left, right, head, rug, foot] = [40, 6, 46, 18, 50]
    this.size(detectors.length * (head + tall + rug) + foot - rug + 4)
    const { width } = this
    const kind = lab.scaleKind
    const every = detectors.flatMap((d) => [...d.scores])
    const [least, most] = [Math.min(...every), Math.max(...every)]
    const pad = (most - least || Math.abs(most) || 1) * 0.02
    const domain =
      kind === "log" ? [least / 1.06, most * 1.06] : [least >= 0 && least < most / 4 ? 0 : least - pad, most + pad]
    this.x = scale(kind, domain, [left, width - right])
    const edges = edgesOf(kind, domain, width > 560 ? 64 : 48)
    const found = detectors.map((d) => groups.map((_, g) => shares(d.scores.filter((_, i) => group[i] === g), kind, edges)))
    const highest = Math.max(...found.flat().map((heights) => Math.max(...heights)))

    this.static.replaceChildren()
    // Panels stay: one may be in the middle of a drag, or have the keyboard, when new data come.
    while (this.panels.length < detectors.length) this.panels.push(this.panel())
    while (this.panels.length > detectors.length) this.panels.pop().node.remove()
    detectors.forEach((detector, k) => {
      const top = head + k * (head + tall + rug)
      const bottom = top + tall
      const y = linear([0, highest * 1.06], [bottom, top])
      const last = k === detectors.length - 1
      this.static.append(
        svg("text", { class: "name", x: left, y: top - 30, text: detector.name }),
        axisLeft(y, { at: left, right: width - right, ticks: linearTicks(0, highest, 3), format: (v) => `${tickText(100 * v)}%` }),
        axisBottom(this.x, { at: bottom, top, numbers: last, drop: 26 }),
        ...groups.map(({ colour }, g) => {
          if (this.hides(g)) return ""
          const d = stepPath(found[k][g], edges, this.x, y)
          return svg("path", { class: "steps", d, fill: colour, stroke: colour, "data-group": g })
        })
      )
      if (last) {
        const text = `score${kind === "log" ? ", log scale" : ""} (higher is more abnormal); height: per cent of each group`
        this.static.append(svg("text", { class: "label", x: width - right, y: bottom + 45, "text-anchor": "end", text }))
      }
      this.place(this.panels[k], detector, { top, bottom, left, right: width - right })
    })
    set(this.svg, {
      "aria-label": `Histograms of the scores of ${detectors.map((d) => d.name).join(" and ")}, by group, each with a threshold to drag.`,
    })
    this.caption.textContent =
      (detectors.length > 1
        ? "Drag a threshold; the other moves to the same false-positive rate on the test normals, so the comparison stays fair."
        : "Drag the threshold; what lies right of it is called anomalous.") + (lab.header.note ? ` ${lab.header.note}` : "")
    this.scale.show(kind)
    const log = this.scale.node.querySelector("[data-value=log]")
    set(log, { disabled: least <= 0 ? "" : null, title: least <= 0 ? "A log scale needs scores above zero" : null })
    this.update()
    this.point()
  }

  panel() {
    const { lab } = this
    const panel = {
      flagged: svg("rect", { class: "flagged" }),
      said: svg("text", { class: "label", text: "called anomalous →" }),
      rugs: svg("g"),
      pointed: svg("g", { class: "pointed" }),
      rates: svg("text", { class: "rates", "text-anchor": "end" }),
      area: svg("rect", { class: "area", "data-screen": "" }),
      line: svg("line", { class: "threshold" }),
      ring: svg("rect", { class: "focus", "data-screen": "", height: 24, rx: 12 }),
      pill: svg("rect", { class: "pill", height: 18, rx: 9 }),
      value: svg("text", { class: "value", "text-anchor": "middle" }),
    }
    const { line, ring, pill, value } = panel
    panel.slider = svg("g", { class: "slider", role: "slider", tabindex: 0, "aria-orientation": "horizontal" }, line, ring, pill, value)
    panel.node = svg("g", {}, panel.flagged, panel.said, panel.rugs, panel.pointed, panel.rates, panel.area, panel.slider)
    const to = (event) => lab.slide(panel.detector.fprAt(this.x.invert(this.at(event))))
    for (const target of [panel.area, panel.slider])
      draggable(target, { start: () => focusQuietly(panel.slider), move: to, end: () => lab.settle() })
    panel.slider.addEventListener("keydown", (event) => lab.stepped(event, -1))
    this.svg.append(panel.node)
    return panel
  }

  place(panel, detector, { top, bottom, left, right }) {
    const role = this.lab.role(detector)
    Object.assign(panel, { detector, top, bottom, right })
    set(panel.flagged, { y: top, height: bottom - top })
    set(panel.said, { y: top + 13 })
    set(panel.rugs, { "data-testid": `rug-${role}` })
    set(panel.rates, { x: right, y: top - 30 })
    set(panel.area, { x: left, width: right - left, y: top - 24, height: bottom - top + 24 })
    set(panel.line, { y1: top - 5, y2: bottom })
    set(panel.ring, { y: top - 26 })
    set(panel.pill, { y: top - 23 })
    set(panel.value, { y: top - 10 })
    set(panel.slider, { "data-testid": `threshold-${role}` })
  }

  /** The pointer's x in the drawing. */
  at(event) {
    return event.clientX - this.svg.getBoundingClientRect().left
  }

  update() {
    for (const panel of this.panels) {
      const found = panel.detector.counts(this.lab.state.fpr)
      const x = clamp(this.x(found.threshold), this.x.range[0], this.x.range[1])
      const text = short(found.threshold)
      const half = text.length * 3.4 + 10
      const middle = clamp(x, half, this.width - half)
      set(panel.line, { x1: x, x2: x })
      set(panel.flagged, { x, width: Math.max(0, panel.right - x) })
      set(panel.said, { x: x + 7, visibility: panel.right - x > 130 ? null : "hidden" })
      set(panel.pill, { x: middle - half, width: 2 * half })
      set(panel.ring, { x: middle - half - 3, width: 2 * half + 6 })
      set(panel.value, { x: middle, text })
      set(panel.rates, { text: `TPR ${percent(found.tpr)} at FPR ${percent(found.fpr)}` })
      set(panel.slider, {
        "aria-label": `Threshold of ${panel.detector.name}`,
        "aria-valuemin": Number(panel.detector.knots.at(-1).toPrecision(4)),
        "aria-valuemax": Number(panel.detector.knots[0].toPrecision(4)),
        "aria-valuenow": Number(found.threshold.toPrecision(4)),
        "aria-valuetext": `${text}: false-positive rate ${percent(found.fpr)}, true-positive rate ${percent(found.tpr)}`,
      })
    }
  }

  /** The lassoed points, as ticks under the histogram. */
  select() {
    const { lasso } = this.lab.state
    for (const { detector, rugs, bottom } of this.panels)
      rugs.replaceChildren(
        ...this.lab.groups.map((group, g) =>
          svg("path", {
            class: "rug",
            stroke: group.colour,
            d: lasso
              .filter((i) => this.lab.group[i] === g)
              .map((i) => `M${this.x(detector.scores[i]).toFixed(1)} ${bottom + 2}v8`)
              .join(""),
          })
        )
      )
  }

  point() {
    const { pointed, group, groups } = this.lab
    for (const panel of this.panels) {
      panel.pointed.replaceChildren()
      if (pointed < 0) continue
      const x = this.x(panel.detector.scores[pointed])
      const colour = groups[group[pointed]].colour
      panel.pointed.append(
        svg("line", { x1: x, x2: x, y1: panel.top, y2: panel.bottom, stroke: colour }),
        svg("circle", { cx: x, cy: panel.bottom, r: 4.5, fill: colour })
      )
    }
  }
}

class Roc extends Figure {
  constructor(lab) {
    super(lab, "roc")
    this.static = svg("g")
    this.guide = svg("line", { class: "guide" })
    this.area = svg("rect", { class: "area", "data-screen": "" })
    this.points = svg("g", { class: "slider", role: "slider", tabindex: 0, "aria-orientation": "horizontal", "data-testid": "roc-point" })
    this.svg.append(this.static, this.guide, this.area, this.points)
    const to = (event) => lab.slide(clamp(this.x.invert(event.clientX - this.svg.getBoundingClientRect().left), 0, 1))
    for (const target of [this.area, this.points])
      draggable(target, { start: () => focusQuietly(this.points), move: to, end: () => lab.settle() })
    this.points.addEventListener("keydown", (event) => lab.stepped(event, 1))
    set(this.svg, { role: "group" })
  }

  draw() {
    const { detectors } = this.lab
    this.entitle("ROC")
    const [left, right, top, foot] = [34, 12, 22, 38]
    const side = clamp(this.room - left - right, 180, 300)
    this.size(side + top + foot)
    this.x = linear([0, 1], [left, left + side])
    this.y = linear([0, 1], [top + side, top])
    const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1]
    this.static.replaceChildren(
      axisLeft(this.y, { at: left, right: left + side, ticks }),
      axisBottom(this.x, { at: top + side, top, ticks }),
      svg("text", { class: "label", x: 0, y: 10, text: "true-positive rate" }),
      svg("text", { class: "label", x: left + side, y: top + side + 34, "text-anchor": "end", text: "false-positive rate" }),
      svg("line", { class: "chance", x1: left, y1: top + side, x2: left + side, y2: top }),
      ...detectors.map((d) =>
        svg("path", { class: `curve ${this.lab.role(d)}`, d: linePath(d.roc().map(([fpr, tpr]) => [this.x(fpr), this.y(tpr)])) })
      ),
      ...detectors.toReversed().map((d, k) => {
        const y = top + side - 18 - k * 20
        const x = left + side - 10
        return svg(
          "g",
          { class: "within" },
          svg("text", { x: x - 32, y: y + 4, "text-anchor": "end", text: `${d.name}, AUC ${d.auc.toFixed(3)}` }),
          svg("line", { class: `curve ${this.lab.role(d)}`, x1: x - 25, x2: x, y1: y, y2: y })
        )
      })
    )
    set(this.area, { x: left, y: top, width: side, height: side })
    this.dots = detectors.map((d) => svg("circle", { class: `dot ${this.lab.role(d)}`, r: 6 }))
    this.points.replaceChildren(...this.dots)
    const aucs = detectors.map((d) => `${d.name} has AUC ${d.auc.toFixed(3)}`).join(", ")
    set(this.svg, { "aria-label": `ROC curves: ${aucs}.` })
    this.update()
  }

  update() {
    const { detectors, state } = this.lab
    const found = detectors.map((d) => d.counts(state.fpr))
    found.forEach(({ fpr, tpr }, k) => set(this.dots[k], { cx: this.x(fpr), cy: this.y(tpr) }))
    const at = this.x(found.at(-1).fpr)
    set(this.guide, { x1: at, x2: at, y1: this.y(0), y2: this.y(Math.max(...found.map((f) => f.tpr))) })
    set(this.points, {
      "aria-label": "Operating point",
      "aria-valuemin": 0,
      "aria-valuemax": 1,
      "aria-valuenow": state.fpr.toFixed(4),
      "aria-valuetext": `false-positive rate ${percent(found.at(-1).fpr)}; true-positive rate ${found
        .map((f, k) => `${percent(f.tpr)} for ${detectors[k].name}`)
        .join(", ")}`,
    })
  }

  select() {}
  point() {}
}

const COUNTS = {
  tp: ["TP", "true positives: anomalies that are flagged"],
  fn: ["FN", "false negatives: anomalies that are missed"],
  fp: ["FP", "false positives: normals that are flagged"],
  tn: ["TN", "true negatives: normals that are let through"],
  tpr: ["TPR", "TP of all anomalies"],
  fpr: ["FPR", "FP of all normals"],
}

/** True and false positives and negatives, live. */
class Counts {
  constructor(lab) {
    this.lab = lab
    this.node = html("section", { class: "counts", "data-testid": "counts", "aria-label": "Counts at the threshold" })
  }

  draw() {
    this.rows = this.lab.detectors.map((d) => {
      const cells = Object.fromEntries(Object.keys(COUNTS).map((k) => [k, html("td", { "data-count": k })]))
      const name = html("th", { scope: "row", text: d.name })
      return { d, cells, node: html("tr", { "data-detector": this.lab.role(d) }, name, ...Object.values(cells)) }
    })
    const head = Object.values(COUNTS).map(([text, title]) => html("th", { scope: "col" }, html("abbr", { text, title })))
    this.node.replaceChildren(
      html("table", {}, html("thead", {}, html("tr", {}, html("td", {}), ...head)), html("tbody", {}, ...this.rows.map((row) => row.node))),
      html("p", { class: "caption", text: "Positive means called anomalous. Counts are of the test images shown." })
    )
    this.update()
  }

  update() {
    for (const { d, cells } of this.rows) {
      const found = d.counts(this.lab.state.fpr)
      for (const [name, cell] of Object.entries(cells))
        set(cell, { text: name.endsWith("pr") ? percent(found[name]) : count(found[name]) })
    }
  }

  select() {}
  point() {}
}

class Reconstructions extends Figure {
  constructor(lab) {
    super(lab, "recon")
    const sort = (event) => lab.choose({ sort: event.target.value })
    this.sort = html("select", { "aria-label": "Sort the images by", "data-testid": "recon-sort", onchange: sort })
    this.tools.append(html("label", { class: "select" }, html("span", { text: "Sort by" }), this.sort))
    this.static = svg("g")
    this.columns = []
    this.cells = svg("g")
    this.ring = svg("rect", { class: "ring", "data-screen": "", rx: 5 })
    this.svg.append(this.static, this.cells, this.ring)
    set(this.svg, { tabindex: 0, role: "group" })
    this.svg.addEventListener("pointermove", (event) => {
      const box = this.svg.getBoundingClientRect()
      const x = event.clientX - box.left
      const column = this.columns.find((c) => x >= c.x - 1.5 && x < c.x + this.tile + 1.5)
      lab.aim(column && column.index >= 0 ? column.index : -1, this)
    })
    this.svg.addEventListener("pointerleave", () => lab.aim(-1))
    this.svg.addEventListener("blur", () => lab.aim(-1))
    this.svg.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
      if (event.key === "Escape") lab.aim(-1)
      if (!step) return
      event.preventDefault()
      const shown = this.columns.filter((c) => c.index >= 0)
      const at = shown.findIndex((c) => c.index === lab.pointed)
      lab.aim(shown[clamp(at < 0 && step < 0 ? shown.length - 1 : at + step, 0, shown.length - 1)]?.index ?? -1, this)
    })
  }

  /** The rows under each other: [kind, detector or null]. A detector that explains nothing in pictures has a bar instead. */
  rows() {
    const { detectors } = this.lab
    const with_ = (kind) => detectors.filter((d) => d.sheets[kind]).map((d) => [kind, d])
    const bars = detectors.filter((d) => !d.sheets.reconstructions).map((d) => ["bar", d])
    const taken = detectors.filter((d) => d.taken).map((d) => ["taken", d])
    return [["originals", null], ...with_("reconstructions"), ...with_("errors"), ...bars, ...taken]
  }

  draw() {
    const { lab } = this
    const { detectors } = lab
    const rows = this.rows()
    this.entitle(lab.pictured ? "Reconstructions" : "Test images")
    const width = Math.max(260, Math.floor(this.room))
    const [left, gap, between] = [rows.some(([kind]) => kind === "bar") ? 132 : 104, 4, 22]
    const room = (width - left - between) / 2
    const each = clamp(Math.floor((room + gap) / (40 + gap)), 3, 10)
    this.tile = Math.min(64, Math.floor((room + gap) / each) - gap)
    const half = each * (this.tile + gap) - gap
    const head = 24
    const lines = 33 // a mark and a score
    const heights = rows.map(([kind]) => ({ bar: BAR, taken: TAKEN })[kind] ?? this.tile)
    const places = heights.map((_, k) => head + sum(heights.slice(0, k)) + k * gap + (k > 0 ? 4 : 0))
    const below = head + sum(heights) + rows.length * gap + 6
    this.size(below + detectors.length * lines + (rows.some(([kind]) => kind === "errors") ? 26 : 4))
    this.below = below

    const sides = [left, left + half + between]
    const { groups, header } = lab
    this.static.replaceChildren(
      ...[`Normal`, `Anomalous: ${header.anomaly}`].flatMap((text, k) => [
        svg("text", { class: "side", x: sides[k], y: 11, text }),
        svg("line", { class: "side", x1: sides[k], x2: sides[k] + half, y1: 18, y2: 18, stroke: groups[NORMAL + k].colour }),
      ]),
      ...rows.flatMap(([kind, d], k) => {
        const y = places[k] + heights[k] / 2
        if (!d) return [svg("text", { class: "row", x: 0, y: y + 4, text: "Original" })]
        return [
          svg("text", { class: "row", x: 0, y: y - 3, text: clip(d.name, 15) }),
          svg("text", { class: "label", x: 0, y: y + 12, text: { errors: "error map", bar: d.measure, taken: "takes it for" }[kind] ?? "reconstruction" }),
        ]
      }),
      ...detectors.flatMap((d, k) => [
        svg("text", { class: "row", x: 0, y: below + k * lines + 12, text: clip(d.name, 15) }),
        svg("text", { class: "label", x: 0, y: below + k * lines + 26, text: "score" }),
      ])
    )
    if (rows.some(([kind]) => kind === "errors")) {
      const y = this.height - 12
      const bar = width - 132
      const id = `error-${lab.header.key.replace(/\W/g, "")}`
      this.static.append(
        gradient(id, INFERNO),
        svg("text", { class: "label", x: bar - 8, y: y + 4, "text-anchor": "end", text: "error of a pixel  0" }),
        svg("rect", { x: bar, y: y - 5, width: 96, height: 10, rx: 2, fill: `url(#${id})` }),
        svg("text", { class: "label", x: bar + 104, y: y + 4, text: `${tickText(header.errorCeiling)}+` })
      )
    }
    this.cells.replaceChildren()
    this.columns = sides.flatMap((start, side) =>
      Array.from({ length: each }, (_, k) => {
        const x = start + k * (this.tile + gap)
        const middle = x + this.tile / 2
        const images = rows.map(([kind], r) => {
          if (kind === "bar") return bar(x, places[r] + BAR / 2, this.tile)
          if (kind === "taken") return twoLines(middle, places[r] + 13)
          return svg("image", { x, y: places[r], width: this.tile, height: this.tile })
        })
        const marks = detectors.map((_, r) => mark(true, { transform: `translate(${middle} ${below + r * lines + 7})` }))
        const scores = detectors.map((_, r) => {
          return svg("text", { class: "score", x: middle, y: below + r * lines + 26, "text-anchor": "middle" })
        })
        const name = { "data-testid": "recon-column", "data-side": side ? "anomalous" : "normal" }
        const node = svg("g", name, ...images, ...marks, ...scores)
        this.cells.append(node)
        return { side, k, x, images, marks, scores, node, index: -1 }
      })
    )
    this.each = each
    const sorts = Object.entries(SORTS).filter(([value]) => value !== "disagreement" || detectors.length > 1)
    if (this.sort.length !== sorts.length) this.sort.replaceChildren(...sorts.map(([value, text]) => html("option", { value, text })))
  }

  /** Normal and anomalous images in the order of the sort, as pairs [normal, anomalous]; -1 where one has no other. */
  order() {
    const { lab } = this
    const { group, pair, run, detectors, state } = lab
    const threshold = run.threshold(state.fpr)
    const nearest = (i) => -Math.abs(run.scores[i] - threshold)
    const keys = {
      nearest,
      highest: (i) => run.scores[i],
      lowest: (i) => -run.scores[i],
      // In the units that both share: the false-positive rate at which an image would just be flagged.
      disagreement: (i) => Math.abs(detectors[0].fprAt(detectors[0].scores[i]) - run.fprAt(run.scores[i])),
      lasso: nearest,
    }
    const lassoed = state.sort === "lasso" && state.lasso.length > 0
    const key = keys[lab.sort]
    const among = lassoed ? new Set(state.lasso) : null
    const lists = [NORMAL, ANOMALOUS].map((g) => lab.members[g].filter((i) => !among || among.has(i)))
    const best = (list) => {
      const value = new Float64Array(group.length)
      for (const i of list) value[i] = key(i)
      return lassoed ? list : list.sort((a, b) => value[b] - value[a])
    }
    if (!lab.paired) {
      const [normal, anomalous] = lists.map(best)
      return Array.from({ length: this.each }, (_, k) => [normal[k] ?? -1, anomalous[k] ?? -1])
    }
    // A pair stands where its better member puts it.
    const seen = new Set()
    const pairs = []
    for (const i of best(lists.flat())) {
      const of = group[i] === NORMAL ? [i, pair[i]] : [pair[i], i]
      const name = Math.max(...of)
      if (!seen.has(name)) pairs.push(of)
      seen.add(name)
      if (pairs.length === this.each) break
    }
    while (pairs.length < this.each) pairs.push([-1, -1])
    return pairs
  }

  update() {
    const { lab } = this
    const { detectors, state } = lab
    const rows = this.rows()
    const order = this.order()
    const thresholds = detectors.map((d) => d.threshold(state.fpr))
    for (const column of this.columns) {
      const index = order[column.k][column.side]
      set(column.node, { "data-index": index, visibility: index < 0 ? "hidden" : null })
      if (index !== column.index) {
        column.index = index
        if (index >= 0) {
          rows.forEach(([kind, d], r) => {
            if (kind === "bar") return
            if (kind === "taken") {
              const [name, share] = d.takenFor(index)
              set(column.images[r].children[0], { text: clip(brief(name), Math.floor(this.tile / 6)) })
              set(column.images[r].children[1], { text: share })
              return
            }
            const sheet = d ? d.sheets[kind] : lab.originals
            set(column.images[r], { href: sheet ? sheet.tile(index) : null })
          })
          detectors.forEach((d, r) => set(column.scores[r], { text: short(d.scores[index]) }))
        }
      }
      if (index < 0) continue
      rows.forEach(([kind, d], r) => {
        if (kind === "bar") set(column.images[r].children[1], { width: this.tile * d.share(d.scores[index], state.fpr) })
      })
      detectors.forEach((d, r) => {
        const right = d.scores[index] >= thresholds[r] === (column.side === 1)
        set(column.marks[r], { class: right ? "mark right" : "mark wrong", d: right ? TICK : CROSS })
      })
    }
    if (this.sort.value !== lab.sort) this.sort.value = lab.sort // to set it has the browser lay out the page
    const sorted = { lasso: "", disagreement: " Sorted by how differently the two rank an image." }
    const by = sorted[lab.sort] ?? ` Sorted by the score of ${lab.run.name}.`
    const made = lab.paired ? " Each anomalous image is made of the normal one in its place." : ""
    set(this.caption, { text: `A check: on the right side of the threshold.${by}${made}` })
    set(this.sort.querySelector("[value=lasso]"), { disabled: state.lasso.length ? null : "" })
    const full = this.columns.filter((c) => c.index >= 0)
    const wrong = detectors.map((d) => `${d.name} ${full.filter((c) => !lab.right(d, c.index)).length}`).join(", ")
    set(this.svg, {
      "aria-label":
        `Test images with ${rows.some(([kind]) => kind === "bar") ? "their scores as bars" : "their reconstructions and error maps"}, ${SORTS[lab.sort]} first. ` +
        `Wrong at this threshold: ${wrong} of ${full.length}. Arrow keys go from image to image.`,
    })
    this.point()
  }

  select() {
    this.update()
  }

  anchor(i) {
    const box = this.columns.find((column) => column.index === i).images[0].getBoundingClientRect()
    return { x: box.left + box.width / 2, y: box.top + box.height / 2, clear: box.width / 2 + 14 }
  }

  point() {
    const column = this.columns.find((c) => c.index >= 0 && c.index === this.lab.pointed)
    set(this.ring, column
      ? { x: column.x - 2.5, y: 21, width: this.tile + 5, height: this.below - 24 + this.lab.detectors.length * 33, visibility: null }
      : { visibility: "hidden" })
  }
}

const SIGNS = { unchanged: "as is", mirrored: "⇄", left: "←", right: "→", up: "↑", down: "↓" }
const brief = (name) => name.split(", ").map((word) => SIGNS[word] ?? word).join("")

/** A bar to be filled up to a share of its width; the line in its middle is the threshold. */
function bar(x, y, width) {
  return svg(
    "g",
    { class: "bar" },
    svg("rect", { class: "track", x, y: y - 5, width, height: 10, rx: 2 }),
    svg("rect", { class: "value", x, y: y - 5, width: 0, height: 10, rx: 2 }),
    svg("line", { x1: x + width / 2, x2: x + width / 2, y1: y - 9, y2: y + 9 })
  )
}

/** Two short lines of text about a middle, to be filled in. */
function twoLines(x, y) {
  return svg("g", {}, ...[0, 12].map((below) => svg("text", { class: "score", x, y: y + below, "text-anchor": "middle" })))
}

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
      const detector = new Detector(k, d, numbers(part(`scores${k}`), Float32Array), this.group)
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
    if (!this.detectors.every((d) => d.scores.every((s) => s > 0))) return "linear"
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

  /** The threshold moves. */
  slide(fpr) {
    this.state.fpr = Math.round(fpr * 1e6) / 1e6
    this.changed()
  }

  /** Arrow keys on a slider; `sign` is the way in which the false-positive rate grows. */
  stepped(event, sign) {
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
