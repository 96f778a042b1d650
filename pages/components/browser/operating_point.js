// What the threshold makes of the test images.

/** The ROC curves, with a point on each to drag. */
class Roc extends Figure {
  constructor(lab) {
    super(lab, "roc")
    this.static = svg("g")
    this.guide = svg("line", { class: "guide" })
    this.area = svg("rect", { class: "area", "data-screen": "" })
    this.points = svg("g", { class: "slider", role: "slider", tabindex: 0, "aria-orientation": "horizontal", "data-testid": "roc-point" })
    this.svg.append(this.static, this.guide, this.area, this.points)
    const fpr = (event) => clamp(this.x.invert(event.clientX - this.svg.getBoundingClientRect().left), 0, 1)
    for (const target of [this.area, this.points]) lab.slidable(target, this.points, fpr)
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
          svg("text", { x: x - 32, y: y + 4, "text-anchor": "end", text: `${d.name}, AUC ${fixed(d.auc, 3)}` }),
          svg("line", { class: `curve ${this.lab.role(d)}`, x1: x - 25, x2: x, y1: y, y2: y })
        )
      })
    )
    set(this.area, { x: left, y: top, width: side, height: side })
    this.dots = detectors.map((d) => svg("circle", { class: `dot ${this.lab.role(d)}`, r: 6 }))
    this.points.replaceChildren(...this.dots)
    const aucs = detectors.map((d) => `${d.name} has AUC ${fixed(d.auc, 3)}`).join(", ")
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
      html("p", { class: "caption", text: "Positive means called anomalous. Counts are of all test images." })
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
