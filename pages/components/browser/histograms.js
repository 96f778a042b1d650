/** How the scores of each group lie, for each detector, with a threshold to drag. */
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
    const ends = detectors.flatMap((d) => d.span)
    const [least, most] = [Math.min(...ends), Math.max(...ends)]
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
        : "Drag the threshold; what lies right of it is called anomalous.") +
      " It ends at the highest normal score: a higher one would only miss more anomalies." + (lab.header.note ? ` ${lab.header.note}` : "")
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
      said: svg("text", { class: "label said", text: "called anomalous →" }),
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
    const fpr = (event) => panel.detector.fprAt(this.x.invert(this.at(event)))
    for (const target of [panel.area, panel.slider]) lab.slidable(target, panel.slider, fpr)
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
