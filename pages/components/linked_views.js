// The linked views of a run and its baseline. `Lab` holds the data and the state and tells the figures; a figure has
// draw() (new data, size or theme), update() (threshold, sort, lasso) and point() (another point is under the pointer).
// The linked quantity is the false-positive rate: it gives each detector its threshold.

const NORMAL = 2
const ANOMALOUS = 3
const STRIP = 40 // images of a lasso shown at most
const BAR = 30 // height of the row of a detector that has bars instead of pictures
const TAKEN = 32 // and of the row that says what it took the images for

const SORTS = {
  nearest: "nearest the threshold",
  highest: "highest score",
  lowest: "lowest score",
  disagreement: "largest disagreement",
  lasso: "as lassoed",
}

const TICK = "M-4.2 .4 L-1.4 3.2 L4.4 -3.2"
const CROSS = "M-3.4 -3.4 L3.4 3.4 M3.4 -3.4 L-3.4 3.4"

/** The message of linked_views.py: a header and the arrays and sheets it points into. */
function unpack(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true)
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)))
  const part = (name) => {
    const [start, size] = header.parts[name] ?? [0, 0]
    return size ? bytes.slice(4 + length + start, 4 + length + start + size) : null // a copy is aligned, a view is not
  }
  return { header, part }
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
   * at most this rate is flagged. A settled rate has four digits; within them k of n is k of n.
   */
  threshold(fpr) {
    const n = this.normal.length
    const whole = Math.round(fpr * n)
    const place = Math.abs(fpr * n - whole) < 6e-5 * n ? whole : fpr * n
    const k = Math.min(Math.floor(place), n - 1)
    return this.knots[k] + (this.knots[k + 1] - this.knots[k]) * (place - k)
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

/** `move(event)` from the press of the pointer to its release, then `end()`; the pointer may leave the node. */
function draggable(node, { start, move, end }) {
  node.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || start?.(event) === false) return
    event.preventDefault()
    node.setPointerCapture(event.pointerId)
    const follow = (moved) => move(moved)
    const stop = () => {
      node.removeEventListener("pointermove", follow)
      for (const name of ["pointerup", "pointercancel"]) node.removeEventListener(name, stop)
      end()
    }
    node.addEventListener("pointermove", follow)
    for (const name of ["pointerup", "pointercancel"]) node.addEventListener(name, stop)
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

/** The mark of a group in a text; training groups are hollow. */
function dot(colour, hollow) {
  return html("i", { style: colour && `--colour: ${colour}`, class: hollow ? "hollow" : "" })
}

/** A section with a heading, tools at its right, the drawing and a caption. */
class Figure {
  constructor(lab, name, heading) {
    this.lab = lab
    this.name = name
    this.tools = html("div", { class: "tools" })
    this.legend = html("div", { class: "legend" })
    this.svg = svg("svg", { "data-testid": name, class: "drawing" })
    this.body = html("div", { class: "body" }, this.svg)
    this.caption = html("p", { class: "caption" })
    this.heading = html("h3", { text: heading })
    const downloads = html("div", { class: "downloads" })
    const caption = () => ({ title: this.heading.textContent, subtitle: lab.header.title, legend: this.key() })
    for (const [kind, download] of [["PNG", savePng], ["SVG", saveSvg]])
      downloads.append(
        html("button", {
          type: "button",
          text: kind,
          title: `Download this figure as ${kind}`,
          "aria-label": `Download ${heading.toLowerCase()} as ${kind}`,
          "data-testid": `download-${name}-${kind.toLowerCase()}`,
          onclick: () => download(this.svg, `${slug(lab.header.title)}-${name}`, caption()),
        })
      )
    const head = html("header", {}, this.heading, this.tools, downloads)
    this.node = html("section", { class: `figure ${name}`, "aria-label": heading }, head, this.legend, this.body, this.caption)
  }

  /** Whether the group's colour is what the figure draws it in. */
  get coloured() {
    return true
  }

  /** The legend of a downloaded figure. */
  key() {
    return []
  }

  size(height) {
    this.width = Math.max(260, Math.floor(this.body.clientWidth))
    this.height = height
    set(this.svg, { viewBox: `0 0 ${this.width} ${height}`, width: this.width, height })
  }

  /** Buttons that show and hide groups. */
  groupButtons(hidden, changed) {
    this.legend.replaceChildren(
      ...this.lab.groups.map((group, g) =>
        html(
          "button",
          {
            type: "button",
            "aria-pressed": String(!hidden.has(g)),
            title: hidden.has(g) ? `Show ${group.name}` : `Hide ${group.name}`,
            "data-testid": `${this.name}-group-${g}`,
            onclick: () => {
              hidden.has(g) ? hidden.delete(g) : hidden.add(g)
              changed()
              this.legend.children[g]?.focus()
            },
          },
          dot(this.coloured ? group.colour : null, g < NORMAL),
          group.name
        )
      )
    )
  }
}

const slug = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") || "ssad"

class Histograms extends Figure {
  constructor(lab) {
    super(lab, "histograms", "Error histograms")
    this.hidden = new Set([0])
    this.scale = segmented("Scale of the score axis", { linear: "Linear", log: "Log" }, (value) => lab.choose({ scale: value }))
    this.tools.append(this.scale.node)
    this.static = svg("g")
    this.panels = []
    this.svg.append(this.static)
    set(this.svg, { role: "group" })
  }

  key() {
    return this.lab.groups.filter((_, g) => !this.hidden.has(g)).map((group) => ({ text: group.name, colour: group.colour }))
  }

  draw() {
    const { lab } = this
    const { detectors, groups, group } = lab
    set(this.heading, { text: lab.pictured ? "Error histograms" : "Score histograms" })
    this.groupButtons(this.hidden, () => this.draw())
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
        axisLeft(y, { at: left, right: width - right, ticks: linearTicks(0, highest, 3), format: (v) => `${tickText(100 * v)} %` }),
        axisBottom(this.x, { at: bottom, top, numbers: last, drop: 26 }),
        ...groups.map(({ colour }, g) => {
          if (this.hidden.has(g)) return ""
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
    super(lab, "roc", "ROC")
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
    const [left, right, top, foot] = [34, 12, 22, 38]
    const side = clamp(this.body.clientWidth - left - right, 180, 300)
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
    super(lab, "recon", "Reconstructions")
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
      lab.aim(column && column.index >= 0 ? column.index : -1, "recon")
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
      lab.aim(shown[clamp(at < 0 && step < 0 ? shown.length - 1 : at + step, 0, shown.length - 1)]?.index ?? -1, "recon")
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
    set(this.heading, { text: lab.pictured ? "Reconstructions" : "Test images" })
    const width = Math.max(260, Math.floor(this.body.clientWidth))
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
    this.sort.replaceChildren(
      ...Object.entries(SORTS)
        .filter(([value]) => value !== "disagreement" || detectors.length > 1)
        .map(([value, text]) => html("option", { value, text }))
    )
    this.update()
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
    this.sort.value = lab.sort
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

  point() {
    const column = this.columns.find((c) => c.index >= 0 && c.index === this.lab.pointed)
    set(this.ring, column
      ? { x: column.x - 2.5, y: 21, width: this.tile + 5, height: this.below - 24 + this.lab.detectors.length * 33, visibility: null }
      : { visibility: "hidden" })
  }
}

const SIGNS = { unchanged: "as is", mirrored: "⇄", left: "←", right: "→", up: "↑", down: "↓" }
const brief = (name) => name.split(", ").map((word) => SIGNS[word] ?? word).join("")
const clip = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text)

class EmbeddingMap extends Figure {
  constructor(lab) {
    super(lab, "map", "Embedding (t-SNE)")
    this.hidden = new Set()
    this.of = segmented("Whose embedding", { baseline: "", run: "" }, (value) => lab.choose({ map_of: value }))
    this.by = segmented("Colour by", { category: "Category", score: "Score" }, (value) => lab.choose({ colour_by: value }))
    this.tools.append(this.of.node, this.by.node)
    this.status = html("p", { class: "placeholder", role: "status" })
    this.body.append(this.status)
    this.scaleKey = svg("g", { class: "colour-key" })
    this.dots = svg("g", { class: "points" })
    this.over = svg("g", { class: "over" })
    this.path = svg("path", { class: "lasso", "data-screen": "" })
    this.frame = svg("rect", { class: "frame" })
    this.svg.append(this.frame, this.dots, this.over, this.scaleKey, this.path)
    set(this.svg, { tabindex: 0, role: "group", "aria-roledescription": "scatter plot" })
    this.listen()
  }

  get coloured() {
    return this.lab.state.colour_by === "category"
  }

  key() {
    if (!this.coloured) return []
    const marks = this.lab.groups.map(({ name, colour }, g) => ({ text: name, colour, hollow: g < NORMAL }))
    return marks.filter((_, g) => !this.hidden.has(g))
  }

  listen() {
    const { lab, svg: node } = this
    let drawn = null
    node.addEventListener("pointermove", (event) => {
      if (!drawn && this.places) lab.aim(this.nearest(...this.at(event), 18), "map")
    })
    node.addEventListener("pointerleave", () => !drawn && lab.aim(-1))
    node.addEventListener("blur", () => lab.aim(-1))
    const show = onceAFrame(() => {
      if (!drawn) return
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
        const found = drawn.length > 4 ? this.inside(drawn) : null
        drawn = null
        set(this.path, { d: null })
        if (found) lab.choose({ lasso: found })
        else lab.selection.update()
      },
    })
    node.addEventListener("keydown", (event) => {
      const way = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key]
      if (!this.places) return
      if (way) {
        event.preventDefault()
        lab.aim(this.towards(way), "map")
      } else if ((event.key === "Enter" || event.key === " ") && lab.pointed >= 0) {
        event.preventDefault()
        const { lasso } = lab.state
        const i = lab.pointed
        lab.choose({ lasso: lasso.includes(i) ? lasso.filter((k) => k !== i) : [...lasso, i].sort((a, b) => a - b) })
      } else if (event.key === "Escape") lab.pointed >= 0 ? lab.aim(-1) : lab.choose({ lasso: [] })
    })
  }

  at(event) {
    const box = this.svg.getBoundingClientRect()
    return [event.clientX - box.left, event.clientY - box.top]
  }

  shown(i) {
    return !this.hidden.has(this.lab.group[i])
  }

  nearest(x, y, within) {
    let [best, found] = [within ** 2, -1]
    this.places.forEach(([px, py], i) => {
      const distance = (px - x) ** 2 + (py - y) ** 2
      if (distance < best && this.shown(i)) [best, found] = [distance, i]
    })
    return found
  }

  /** The next point that way: near, and not far off the way. */
  towards([dx, dy]) {
    const from = this.lab.pointed
    if (from < 0) return this.nearest(this.width / 2, this.height / 2, Infinity)
    const [x, y] = this.places[from]
    let [best, found] = [Infinity, from]
    this.places.forEach(([px, py], i) => {
      const along = (px - x) * dx + (py - y) * dy
      const across = Math.abs((px - x) * dy + (py - y) * dx)
      if (i === from || along <= 0 || across > along || !this.shown(i)) return
      if (along + 2 * across < best) [best, found] = [along + 2 * across, i]
    })
    return found
  }

  /** The shown points within a closed line, with those already selected if Shift was held. */
  inside(line) {
    const { lasso } = this.lab.state
    const kept = this.adding ? new Set(lasso) : new Set()
    const found = []
    this.places.forEach(([x, y], i) => {
      if (kept.has(i)) return found.push(i)
      if (!this.shown(i)) return
      let within = false
      for (let a = 0, b = line.length - 1; a < line.length; b = a++) {
        const [[ax, ay], [bx, by]] = [line[a], line[b]]
        if (ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax)) within = !within
      }
      if (within) found.push(i)
    })
    return found
  }

  draw() {
    const { lab } = this
    const { detectors, header } = lab
    this.groupButtons(this.hidden, () => this.draw())
    set(this.of.node, { hidden: detectors.length < 2 ? "" : null })
    for (const d of detectors) set(this.of.node.querySelector(`[data-value=${lab.role(d)}]`), { text: d.name })
    const width = this.body.clientWidth
    this.size(clamp(Math.round(width * 0.72), 320, 470))
    const detector = lab.mapDetector
    this.of.show(lab.role(detector))
    this.by.show(lab.state.colour_by)
    set(this.frame, { x: 0.5, y: 0.5, width: this.width - 1, height: this.height - 1, rx: 6 })
    set(this.status, { text: detector.map ? "" : header.mapStatus, hidden: detector.map ? "" : null })
    const points = `t-SNE map of the code of ${detector.name}: ${count(lab.group.length)} images.`
    const label = detector.map ? `${points} Arrow keys go from point to point, Enter selects.` : header.mapStatus
    set(this.svg, { "aria-label": label })
    this.caption.textContent = detector.map
      ? "Hover for the image and its pair; drag a lasso to select, with Shift to add. Hollow: training. " +
        "Near points are alike; distances between clusters mean little."
      : ""
    this.dots.replaceChildren()
    this.over.replaceChildren()
    this.scaleKey.replaceChildren()
    this.places = null
    if (!detector.map) return
    this.fit(detector.map)
    // Fixed, shuffled order, so that no group lies on top of the others.
    const order = lab.shuffled
    this.circles = new Array(order.length)
    const circles = order.map((i) => {
      const [cx, cy] = this.places[i]
      return (this.circles[i] = svg("circle", { cx: cx.toFixed(1), cy: cy.toFixed(1), r: 3 }))
    })
    this.dots.append(...circles)
    this.colour()
    this.select()
    this.point()
  }

  /** One scale for both axes: t-SNE's distances are Euclidean. */
  fit(map) {
    const n = map.length / 2
    const bounds = [0, 1].map((axis) => {
      let [low, high] = [Infinity, -Infinity]
      for (let i = 0; i < n; i++) [low, high] = [Math.min(low, map[2 * i + axis]), Math.max(high, map[2 * i + axis])]
      return [low, high]
    })
    const margin = 16
    const step = Math.min(...[this.width, this.height].map((size, axis) => (size - 2 * margin) / (bounds[axis][1] - bounds[axis][0] || 1)))
    const middle = bounds.map(([low, high]) => (low + high) / 2)
    this.places = Array.from({ length: n }, (_, i) => [
      this.width / 2 + (map[2 * i] - middle[0]) * step,
      this.height / 2 - (map[2 * i + 1] - middle[1]) * step,
    ])
  }

  colour() {
    const { lab } = this
    const { group, groups, state, mapDetector } = lab
    const byScore = !this.coloured
    const sorted = mapDetector.scores.toSorted()
    const domain = [sorted[Math.floor(sorted.length * 0.02)], sorted[Math.ceil(sorted.length * 0.98) - 1]]
    const place = scale(lab.scaleKind, domain, [0, 1])
    this.place = place
    this.circles.forEach((circle, i) => {
      const colour = byScore ? rgb(colourAt(VIRIDIS, place(mapDetector.scores[i]))) : groups[group[i]].colour
      const training = group[i] < NORMAL
      set(circle, {
        fill: training ? "none" : colour,
        stroke: training ? colour : null,
        r: training ? 2.6 : 3,
        display: this.hidden.has(group[i]) ? "none" : null,
      })
    })
    this.scaleKey.replaceChildren()
    if (!byScore) return
    const id = `score-${lab.header.key.replace(/\W/g, "")}`
    const [x, y, w] = [14, this.height - 30, 150]
    this.keyAt = linear([0, 1], [x, x + w])
    this.keyMark = svg("path", { class: "key-mark" })
    this.scaleKey.append(
      gradient(id, VIRIDIS),
      svg("rect", { class: "key-paper", x: 6, y: y - 20, width: w + 16, height: 44, rx: 4 }),
      svg("text", { class: "label", x, y: y - 8, text: `score of ${clip(mapDetector.name, 14)}` }),
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
    const at = this.keyAt(clamp(this.place(this.lab.mapDetector.threshold(this.lab.state.fpr)), 0, 1))
    set(this.keyMark, { d: `M${at.toFixed(1)} ${this.height - 33}v14` })
  }

  select() {
    if (!this.places) return
    const chosen = new Set(this.lab.state.lasso)
    set(this.dots, { class: chosen.size ? "points chosen" : "points" })
    this.circles.forEach((circle, i) => set(circle, { class: chosen.has(i) ? "on" : null }))
  }

  point() {
    this.over.replaceChildren()
    const { pointed, pair, group, groups } = this.lab
    if (pointed < 0 || !this.places) return
    const other = pair[pointed]
    const ring = (i, r) => {
      const [cx, cy] = this.places[i]
      return [
        svg("circle", { class: "ring", cx, cy, r }),
        svg("circle", { cx, cy, r: 4, fill: groups[group[i]].colour }),
      ]
    }
    if (other >= 0) {
      const [[x1, y1], [x2, y2]] = [this.places[pointed], this.places[other]]
      this.over.append(svg("line", { class: "tie", x1, y1, x2, y2 }), ...ring(other, 6))
    }
    this.over.append(...ring(pointed, 8))
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
      lab.aim(Number(event.target.closest("[data-index]")?.dataset.index ?? -1), "strip")
    })
    this.strip.addEventListener("pointerleave", () => lab.aim(-1))
  }

  draw() {
    this.select()
  }

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
    const detector = lab.mapDetector
    const pictures = detector.sheets.reconstructions
    this.hint.textContent = lasso.length
      ? `Image${pictures ? ", reconstruction" : ""} and score of ${detector.name}, highest first in each group.`
      : "Draw around points on the map to see their images and scores here, and their scores under the histograms."
    const kept = this.sample(detector)
    this.cards = kept.map((i) => {
      const sheets = [lab.originals, pictures].filter((sheet) => sheet)
      const images = sheets.map((sheet) => html("img", { src: sheet.tile(i), alt: "", draggable: "false" }))
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

  point() {
    for (const { i, node } of this.cards) node.classList.toggle("pointed", i === this.lab.pointed)
  }
}

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

/** A mark within text. */
function glyph(right) {
  const label = { role: "img", "aria-label": right ? "right" : "wrong" }
  return svg("svg", { class: "glyph", viewBox: "-6 -6 12 12", width: 12, height: 12, ...label }, mark(right))
}

/** The images and numbers of the point under the pointer, beside it. */
class Tooltip {
  constructor(lab) {
    this.lab = lab
    this.node = html("div", { class: "tooltip", "data-testid": "tooltip", "aria-live": "polite", hidden: "" })
  }

  show(anchor, clear) {
    const { lab } = this
    const { pointed: i, pair, group, groups, detectors } = lab
    set(this.node, { hidden: i < 0 ? "" : null })
    if (i < 0) return
    const detector = lab.mapDetector
    const twin = pair[i]
    const pictures = [
      [lab.originals, i, "this image", groups[group[i]].colour],
      [lab.originals, twin, ["after aug", "before aug", "after gen", "before gen"][group[i]], groups[group[twin]]?.colour],
      [detector.sheets.reconstructions, i, "reconstruction", "transparent"],
    ].filter(([sheet, k]) => sheet && k >= 0)
    const figures = pictures.map(([sheet, k, text, colour]) => {
      const image = html("img", { src: sheet.tile(k), width: 96, height: 96, alt: text })
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
    let left = anchor.x - box.left + clear
    if (left + w > box.width) left = anchor.x - box.left - clear - w
    const top = clamp(anchor.y - box.top - h / 2, 0, box.height - h)
    this.node.style.transform = `translate(${Math.round(clamp(left, 0, box.width - w))}px, ${Math.round(top)}px)`
  }
}

/** The data, the state, and the figures that show them. */
class Lab {
  constructor(root) {
    this.root = set(root, { "data-testid": "linked-views" })
    this.pointed = -1
  }

  build() {
    this.histograms = new Histograms(this)
    this.roc = new Roc(this)
    this.counts = new Counts(this)
    this.recon = new Reconstructions(this)
    this.map = new EmbeddingMap(this)
    this.selection = new Selection(this)
    this.tooltip = new Tooltip(this)
    this.figures = [this.histograms, this.roc, this.counts, this.recon, this.map, this.selection]
    this.root.replaceChildren(...this.figures.map((figure) => figure.node), this.tooltip.node)
    this.redraw = onceAFrame(() => this.draw())
    this.changed = onceAFrame(() => this.figures.forEach((figure) => figure.update()))
    let width = 0
    this.observer = new ResizeObserver(([entry]) => {
      if (Math.abs(entry.contentRect.width - width) < 1) return
      width = entry.contentRect.width
      this.redraw()
    })
    this.observer.observe(this.root)
  }

  /** Takes a message; the same one again, or one whose state the views already hold, changes nothing. */
  async receive(bytes) {
    const { header, part } = unpack(bytes)
    const before = this.header
    const known = remembered.get(header.key)
    const pushed = before ? before.revision !== header.revision : known?.revision !== header.revision
    this.header = header
    if (pushed) this.state = { ...header.state }
    else if (!before) this.state = { ...known.state }
    else if (before.id !== header.id) this.state.lasso = []
    if (pushed) this.told = JSON.stringify(this.state)
    this.remember()
    const fresh = before?.version !== header.version
    if (fresh) this.take(header, part, before?.id === header.id)
    if (!before) this.build()
    if (this.theme() || fresh || pushed) this.draw()
    if (fresh && (await this.pictures(header, part))) this.draw()
  }

  /** The numbers of a message; the old pictures stay until the new ones are decoded, if they are of the same points. */
  take(header, part, samePoints) {
    const numbers = (name, kind) => part(name) && new kind(part(name).buffer)
    this.group = numbers("group", Uint8Array)
    this.pair = numbers("pair", Int32Array)
    this.detectors = header.detectors.map((d, k) => {
      const detector = new Detector(k, d, numbers(`scores${k}`, Float32Array), this.group)
      detector.map = numbers(`map${k}`, Float32Array)
      detector.taken = numbers(`taken${k}`, Uint8Array)
      detector.certainty = numbers(`certainty${k}`, Uint8Array)
      if (samePoints) detector.sheets = this.detectors[k]?.sheets ?? {}
      return detector
    })
    this.run = this.detectors.at(-1)
    if (!samePoints) this.originals = null
    this.members = header.groups.map((_, g) => [...this.group.keys()].filter((i) => this.group[i] === g))
    this.paired = this.members[ANOMALOUS].every((i) => this.pair[i] >= 0)
    this.shuffled = [...this.group.keys()].sort((a, b) => hash(a) - hash(b))
    this.state.lasso = this.state.lasso.filter((i) => i < this.group.length)
    this.pointed = -1
  }

  /** Decodes the sheets; false if a later message has come meanwhile. */
  async pictures(header, part) {
    const { columns, size } = header
    const load = async (name, stops) => part(name) && sheet(part(name), { columns, size, stops })
    const of = (k) => Promise.all([load(`reconstructions${k}`, null), load(`errors${k}`, INFERNO)])
    const [originals, ...rest] = await Promise.all([load("originals", null), ...this.detectors.map((_, k) => of(k))])
    if (this.header.version !== header.version) return false
    this.originals = originals
    rest.forEach(([reconstructions, errors], k) => (this.detectors[k].sheets = { reconstructions, errors }))
    return true
  }

  /** Group colours are fixed; on a dark page a dark one is lifted until it can be read. True if the page has changed. */
  theme() {
    const paper = getComputedStyle(this.root).getPropertyValue("--st-background-color").trim() || "#ffffff"
    const dark = luminance(paper) < 0.2
    set(this.root, { "data-theme": dark ? "dark" : "light" })
    this.groups = this.header.groups.map(({ name, colour }) => ({ name: sentence(name), colour: dark ? lifted(colour, paper) : colour }))
    const changed = paper !== this.paper
    this.paper = paper
    return changed
  }

  draw() {
    if (!this.root.clientWidth) return
    for (const figure of this.figures) figure.draw()
    for (const figure of this.figures) figure.select()
  }

  /** Whether the detectors explain in pictures, and so score errors; known before these are decoded. */
  get pictured() {
    return "reconstructions0" in this.header.parts
  }

  role = (detector) => (detector === this.run ? "run" : "baseline")
  label = (i) => this.header.names[this.header.labels[i]]

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

  /** A toggle was clicked, or a lasso closed. */
  choose(change) {
    const same = Object.entries(change).every(([name, value]) => JSON.stringify(this.state[name]) === JSON.stringify(value))
    Object.assign(this.state, change)
    if (same) return this.figures.forEach((figure) => figure.update())
    if ("scale" in change) this.histograms.draw()
    if ("scale" in change || "map_of" in change || "colour_by" in change) this.map.draw()
    for (const figure of this.figures) figure.select()
    this.recon.update()
    this.tell()
  }

  tell() {
    const state = JSON.stringify(this.state)
    if (state === this.told) return
    this.told = state
    this.remember()
    this.report(JSON.parse(state))
  }

  remember() {
    remembered.set(this.header.key, { revision: this.header.revision, state: { ...this.state } })
  }

  /** Another point is under the pointer, in the figure `where`. */
  aim(i, where) {
    if (i === this.pointed) return
    this.pointed = i
    for (const figure of this.figures) figure.point()
    if (i < 0) return this.tooltip.show()
    if (where === "map") {
      const box = this.map.svg.getBoundingClientRect()
      const [x, y] = this.map.places[i]
      this.tooltip.show({ x: box.left + x, y: box.top + y }, 18)
    } else {
      const node =
        where === "recon"
          ? this.recon.columns.find((c) => c.index === i).images[0]
          : this.selection.cards.find((c) => c.i === i).node
      const box = node.getBoundingClientRect()
      this.tooltip.show({ x: box.left + box.width / 2, y: box.top + box.height / 2 }, box.width / 2 + 14)
    }
  }

  leave() {
    this.observer?.disconnect()
    clearTimeout(this.settling)
  }
}

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1)

/** A fixed shuffle: what integers hash to. */
const hash = (k) => Math.imul(k ^ (k >>> 7), 2654435761) >>> 0

/** A colour, mixed with white until its contrast with the page is 4.5. */
function lifted(colour, paper) {
  let mixed = channels(colour)
  while ((luminance(rgb(mixed)) + 0.05) / (luminance(paper) + 0.05) < 4.5) mixed = mixed.map((v) => Math.min(255, v + 8))
  return `#${mixed.map((v) => Math.round(v).toString(16).padStart(2, "0")).join("")}`
}

const labs = new WeakMap() // by root
const remembered = new Map() // by key: what a component that is mounted anew goes on with

export default function (component) {
  const root = component.parentElement.querySelector(".views")
  if (!labs.has(root)) labs.set(root, new Lab(root))
  const lab = labs.get(root)
  lab.report = (state) => component.setStateValue("state", state)
  lab.receive(component.data)
  return () => {
    lab.leave()
    labs.delete(root)
  }
}
