const BAR = 30 // height of the row of a detector that has bars instead of pictures
const TAKEN = 32 // and of the row that says what it took the images for

const SORTS = {
  nearest: "nearest the threshold",
  missed: "worst mistakes",
  highest: "highest score",
  lowest: "lowest score",
  disagreement: "largest disagreement",
  lasso: "as lassoed",
}

/** The same images as each detector sees them, rightly called or not; normal and anomalous side by side. */
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
    onPointed(this.svg, (event) => {
      const box = this.svg.getBoundingClientRect()
      const x = event.clientX - box.left
      const column = this.columns.find((c) => x >= c.x - 1.5 && x < c.x + this.tile + 1.5)
      lab.aim(column && column.index >= 0 ? column.index : -1, this)
    })
    this.svg.addEventListener("pointerleave", () => lab.aim(-1))
    this.svg.addEventListener("blur", () => lab.aim(-1))
    this.svg.addEventListener("keydown", (event) => {
      if (isShortcut(event)) return
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
    const titles = [`Normal`, `Anomalous: ${lab.header.anomaly}`].map((text) => twoLines(text, Math.floor(half / 7)))
    const line = 3 + 15 * Math.max(...titles.map((title) => title.length))
    const head = line + 6
    const lines = 33 // a mark and a score
    const heights = rows.map(([kind]) => ({ bar: BAR, taken: TAKEN })[kind] ?? this.tile)
    const places = heights.map((_, k) => head + sum(heights.slice(0, k)) + k * gap + (k > 0 ? 4 : 0))
    const below = head + sum(heights) + rows.length * gap + 6
    this.size(below + detectors.length * lines + (rows.some(([kind]) => kind === "errors") ? 26 : 4))
    this.below = below

    const sides = [left, left + half + between]
    const { groups, header } = lab
    this.static.replaceChildren(
      ...titles.flatMap((title, k) => [
        ...title.map((text, i) => svg("text", { class: "side", x: sides[k], y: line - 7 - 15 * (title.length - 1 - i), text })),
        svg("line", { class: "side", x1: sides[k], x2: sides[k] + half, y1: line, y2: line, stroke: groups[NORMAL + k].colour }),
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
          if (kind === "taken") return twoTexts(middle, places[r] + 13)
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

  /**
   * Normal and anomalous images in the order of the sort, as pairs [normal, anomalous]; -1 where one has no other. By a score
   * each side is sorted for itself, so that neither hides what the other's order does not show.
   */
  order() {
    const { lab } = this
    const { group, members, run, detectors, state } = lab
    const threshold = run.threshold(state.fpr)
    const keys = {
      nearest: (i) => -Math.abs(run.scores[i] - threshold),
      // Of a normal the more abnormal it looks, of an anomaly the more normal: the order on the page Reconstructions.
      missed: (i) => (group[i] === NORMAL ? run.scores[i] : -run.scores[i]),
      highest: (i) => run.scores[i],
      lowest: (i) => -run.scores[i],
      // In the units that both share: the false-positive rate at which an image would just be flagged.
      disagreement: (i) => Math.abs(detectors[0].flaggedWith(i) - run.flaggedWith(i)),
      lasso: () => 0,
    }
    const key = keys[lab.sort]
    const among = lab.sort === "lasso" ? new Set(state.lasso) : null
    const best = (list) => {
      const value = new Float64Array(group.length)
      for (const i of list) value[i] = key(i)
      return list.sort((a, b) => value[b] - value[a])
    }
    const lists = [NORMAL, ANOMALOUS].map((g) => members[g].filter((i) => !among || among.has(i)))
    if (this.together) return this.pairs(best(lists.flat()))
    const [normal, anomalous] = lists.map(best)
    return Array.from({ length: this.each }, (_, k) => [normal[k] ?? -1, anomalous[k] ?? -1])
  }

  /** Whether an anomalous image stands beside the normal one that it is made of. */
  get together() {
    return this.lab.paired && ["disagreement", "lasso"].includes(this.lab.sort)
  }

  /** The first pairs of sorted images: one stands where its better member puts it. */
  pairs(sorted) {
    const { group, pair } = this.lab
    const normals = new Set(sorted.map((i) => (group[i] === NORMAL ? i : pair[i])))
    const pairs = [...normals].slice(0, this.each).map((i) => [i, pair[i]])
    return Array.from({ length: this.each }, (_, k) => pairs[k] ?? [-1, -1])
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
    const sorted = {
      lasso: "",
      disagreement: " Sorted by how differently the two rank an image.",
      missed: ` From the worst mistakes of ${lab.run.name} on: false alarms left, missed anomalies right.`,
    }
    const by = sorted[lab.sort] ?? ` Each side is sorted by the score of ${lab.run.name}.`
    const made = this.together ? " Each anomalous image is made of the normal one in its place." : ""
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

const SIGNS = { mirrored: "⇄", left: "←", right: "→", up: "↑", down: "↓" }
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
function twoTexts(x, y) {
  return svg("g", {}, ...[0, 12].map((below) => svg("text", { class: "score", x, y: y + below, "text-anchor": "middle" })))
}
