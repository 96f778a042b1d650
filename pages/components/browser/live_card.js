// What one run shows while it learns: its state and pace, loss, AUC, the scores' histogram, and a few reconstructions.

const CELLS = 28 // of the score histogram
const HEIGHT = 120 // of a chart
const MARKED = 20 // evaluations at most whose points are marked
const MARGIN = { left: 40, right: 6, top: 8, bottom: 22 }

const STATES = {
  none: "Not asked for",
  queued: "Queued",
  starting: "Starting",
  training: "Training",
  evaluating: "Evaluating",
  done: "Done",
  failed: "Failed",
  cancelled: "Cancelled",
  interrupted: "Interrupted",
}

class Card {
  constructor(view, index) {
    this.view = view
    this.index = index
    this.spread = null // the scores' range so far
    const id = (what) => `live-${what}-${index}`
    this.name = html("span", { class: "name" })
    this.state = html("span", { class: "state", role: "status", "data-testid": id("state") })
    this.fill = html("div")
    const progress = { class: "bar", role: "progressbar", "aria-valuemin": 0, "data-testid": id("progress") }
    this.bar = html("div", progress, this.fill)
    this.said = html("span", { class: "said", "data-testid": id("message") })
    this.pace = html("span", { class: "pace", "data-testid": id("pace") })
    this.loss = new Chart("Training loss", id("loss"))
    this.auc = new Chart("Live AUC", id("auc"))
    this.scores = new Chart("Test scores", id("histogram"), keys("normal", "anomalous"))
    for (const chart of [this.loss, this.auc]) this.follow(chart)
    this.groups = ["normal", "anomalous"].map((kind) => {
      const canvas = html("canvas", { role: "img", "data-testid": id(`pictures-${kind}`) })
      return { kind, canvas, node: html("div", { class: `group ${kind}` }, canvas) }
    })
    this.strip = html("figure", { class: "strip" })
    this.strip.append(
      html("figcaption", {}, html("span", { text: "Test images over reconstructions" }), keys("normal", "anomalous")),
      html("div", { class: "groups" }, ...this.groups.map((group) => group.node))
    )
    this.node = html(
      "section",
      { class: "run", "data-testid": id("run") },
      html("div", { class: "head" }, this.name, this.state),
      this.bar,
      html("div", { class: "meta" }, this.said, this.pace),
      html("div", { class: "charts" }, this.loss.node, this.auc.node, this.scores.node),
      this.strip
    )
  }

  /** Shows the epoch under the pointer in both runs; in a replay a press goes there. */
  follow(chart) {
    const view = this.view
    const epoch = (event) => {
      const place = event.clientX - chart.figure.getBoundingClientRect().left
      return clamp(Math.round(chart.x.invert(place)), 1, Math.max(1, this.run.epochs))
    }
    set(chart.figure, {
      class: "curve",
      onpointermove: (event) => {
        view.hover = epoch(event)
        view.draw()
        if (event.buttons && view.epoch !== null) view.goNear(epoch(event))
      },
      onpointerleave: () => {
        view.hover = null
        view.draw()
      },
      onpointerdown: (event) => view.epoch !== null && view.goNear(epoch(event)),
    })
  }

  get run() {
    return this.view.data.runs[this.index]
  }

  /** The snapshot on show: the last one up to the replayed epoch, or the last one there is. */
  get snapshot() {
    const { epoch } = this.view
    return this.run.snapshots.findLast((snapshot) => epoch === null || snapshot.epoch <= epoch) ?? null
  }

  render() {
    this.renderHead()
    this.renderLoss()
    this.renderAuc()
    this.renderScores()
    this.renderPictures()
  }

  renderHead() {
    const { run, view } = this
    const epoch = Math.min(view.epoch ?? run.epoch, run.epoch)
    set(this.node, { "data-state": run.state, "aria-label": run.name })
    set(this.name, { text: run.name, title: run.name })
    set(this.state, { text: stateText(run) })
    const share = view.epoch === null ? (run.state === "evaluating" ? 1 : run.done) : epoch / run.epochs
    const done = Math.round(100 * share)
    set(this.fill, { style: `width: ${done}%` })
    const counted = run.epochs ? `Epoch ${epoch} of ${run.epochs}` : ""
    set(this.bar, { "aria-valuenow": done, "aria-valuetext": counted, "aria-label": `Progress of ${run.name}` })
    const going = ["training", "evaluating", "done"].includes(run.state)
    set(this.said, { text: going ? counted : run.message })
    set(this.pace, { text: going ? paceText(run) : run.epoch ? counted : "" })
  }

  renderLoss() {
    const { run } = this
    const points = run.loss.map((loss, k) => [k + 1, loss])
    const [low, high] = points.length ? extent(run.loss) : [0, 1]
    const room = (high - low || Math.abs(high) || 1) * 0.08
    const domain = [low >= 0 ? Math.max(0, low - room) : low - room, high + room]
    this.renderCurve(this.loss, points, domain, short, [])
  }

  renderAuc() {
    const { run, view } = this
    const others = view.data.runs.filter((other) => other !== run)
    const lowest = Math.min(0.9, ...view.data.runs.flatMap((other) => other.auc.map(([, auc]) => auc)))
    const domain = [Math.floor(lowest * 10 - 1e-9) / 10, 1]
    this.renderCurve(this.auc, run.auc, domain, aucText, others.map((other) => other.auc))
  }

  renderCurve(chart, points, domain, format, others) {
    const { run, view } = this
    const width = chart.width
    if (!width) return
    const x = linear([0, Math.max(run.epochs, 1)], [MARGIN.left, width - MARGIN.right])
    const y = linear(domain, [HEIGHT - MARGIN.bottom, MARGIN.top])
    chart.x = x
    const shown = view.hover ?? view.epoch
    const upTo = points.filter(([epoch]) => shown === null || epoch <= shown)
    const now = upTo.at(-1)
    const at = ([epoch, value]) => [x(epoch), y(value)]
    const line = (which, pairs) => svg("path", { class: `line ${which}`, d: linePath(pairs.map(at)) })
    const ahead = ([epoch]) => view.epoch !== null && epoch > view.epoch
    const circle = (which, point, r) => svg("circle", { class: `dot ${which}`, cx: at(point)[0], cy: at(point)[1], r })
    chart.figure.replaceChildren(
      axisLeft(y, { at: MARGIN.left, right: width - MARGIN.right, ticks: points.length ? y.ticks(4) : [] }),
      axisBottom(x, { at: HEIGHT - MARGIN.bottom, ticks: epochTicks(run.epochs, width) }),
      ...others.map((pairs) => line("other", pairs)),
      line("ahead", view.epoch === null ? [] : points),
      line("", points.filter((point) => !ahead(point))),
      ...(points.length <= MARKED ? points.map((point) => circle(ahead(point) ? "ahead" : "", point, 1.75)) : []),
      ...(shown === null || !points.length
        ? []
        : [svg("line", { class: "cursor", x1: x(shown), x2: x(shown), y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom })]),
      ...(now ? [circle("now", now, 4)] : [])
    )
    if (now) chart.say(format(now[1]), `${format(now[1])} after epoch ${now[0]} of ${run.epochs}`)
    else chart.say("", "nothing yet")
  }

  renderScores() {
    const { run, snapshot, scores: chart } = this
    const width = chart.width
    if (!width) return
    // One range for the whole training, so that the scores are seen to move. While it trains only the latest are here.
    if (!snapshot || this.view.epoch !== null) this.spread = null
    for (const { normal, anomalous } of run.snapshots) this.spread = widen(this.spread, normal.concat(anomalous))
    const [low, high] = this.spread ?? [0, 1]
    const kind = low > 0 ? "log" : "linear"
    const edges = edgesOf(kind, high > low ? [low, high] : [low, low + (Math.abs(low) || 1)], CELLS)
    const x = scale(kind, [edges[0], edges[CELLS]], [2, width - 2])
    const found = ["normal", "anomalous"].map((group) => (snapshot ? shares(snapshot[group], kind, edges) : []))
    const highest = Math.max(0.1, ...found.flatMap((heights) => [...heights]))
    const y = linear([0, highest], [HEIGHT - MARGIN.bottom, MARGIN.top])
    const ticks = snapshot ? x.ticks(4) : []
    chart.axis?.remove()
    chart.axis = axisBottom(x, { at: HEIGHT - MARGIN.bottom, ticks })
    chart.figure.prepend(chart.axis)
    chart.shapes ??= ["normal", "anomalous"].map((group) => svg("path", { class: `shape ${group}` }))
    if (!chart.shapes[0].isConnected) chart.figure.append(...chart.shapes)
    chart.shapes.forEach((shape, k) => set(shape, { d: snapshot ? stepPath(found[k], edges, x, y) : "" }))
    chart.say(
      null,
      snapshot
        ? `medians after epoch ${snapshot.epoch}: normal ${short(median(snapshot.normal))}, ` +
            `anomalous ${short(median(snapshot.anomalous))}; higher is more abnormal`
        : "nothing yet"
    )
  }

  renderPictures() {
    const { run, snapshot, view } = this
    const total = run.pictures[0] + run.pictures[1]
    set(this.strip, { hidden: total ? null : "", style: `max-width: ${total * 4.5}rem` })
    const originals = view.picture(run.originals)
    const reconstructions = view.picture(snapshot?.reconstructions)
    // While the next ones are decoded the last ones stay.
    if (snapshot?.reconstructions && !reconstructions) return
    this.groups.forEach(({ kind, canvas, node }, k) => {
      const number = run.pictures[k]
      set(node, { style: `flex: ${number} 1 0`, hidden: number ? null : "" })
      if (!number) return
      const first = k ? run.pictures[0] : 0
      drawTiles(canvas, number, first, [originals, reconstructions])
      const what = `${number} ${kind} test ${number === 1 ? "image" : "images"}`
      set(canvas, {
        "aria-label": reconstructions
          ? `${what} above their reconstructions after epoch ${snapshot.epoch}`
          : `Room for ${what} and their reconstructions`,
        "data-epoch": reconstructions ? snapshot.epoch : null,
      })
    })
  }
}

/** A small chart with its title, its value or legend at the right, and words for those who do not see it. */
class Chart {
  constructor(title, testid, legend = null) {
    this.title = title
    this.value = legend ? null : html("span", { class: "value" })
    this.figure = svg("svg", { role: "img" })
    this.node = html("figure", { "data-testid": testid })
    this.node.append(html("figcaption", {}, html("span", { text: title }), legend ?? this.value), this.figure)
  }

  get width() {
    return this.node.clientWidth
  }

  say(value, words) {
    if (this.value) set(this.value, { text: value })
    set(this.figure, { "aria-label": `${this.title}: ${words}` })
  }
}

function keys(...kinds) {
  return html("span", { class: "keys" }, ...kinds.map((kind) => html("span", { class: `key ${kind}`, text: kind })))
}

/** The tiles number `first` and on of each sprite, which is one row of squares; empty tiles where there is none. */
function drawTiles(canvas, number, first, sprites) {
  const gap = 3
  const ratio = window.devicePixelRatio || 1
  const width = canvas.parentElement.clientWidth
  if (!width) return
  const side = (width - gap * (number - 1)) / number
  const height = sprites.length * side + (sprites.length - 1) * gap
  set(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio), style: `height: ${height}px` })
  const context = canvas.getContext("2d")
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.clearRect(0, 0, width, height)
  context.imageSmoothingQuality = "high"
  context.fillStyle = getComputedStyle(canvas).getPropertyValue("--st-secondary-background-color")
  sprites.forEach((sprite, row) => {
    const size = sprite?.naturalHeight
    for (let k = 0; k < number; k++) {
      const place = [k * (side + gap), row * (side + gap), side, side]
      if (sprite) context.drawImage(sprite, (first + k) * size, 0, size, size, ...place)
      else context.fillRect(...place)
    }
  })
}

function stateText(run) {
  const text = STATES[run.state]
  if (run.state === "queued" && run.queuePosition)
    return `${text}: ${run.queuePosition === 1 ? "next in line" : `number ${run.queuePosition} in line`}`
  if (run.state === "done" && run.secondsElapsed !== null) return `${text} in ${duration(run.secondsElapsed)}`
  return text
}

function paceText(run) {
  const pace = run.imagesPerSecond ? [`${count(Math.round(run.imagesPerSecond))} images/s`] : []
  if (run.state === "evaluating") pace.push(`scoring all test images, ${Math.round(100 * run.done)}%`)
  if (run.state === "training" && run.secondsLeft !== null) pace.push(`${duration(Math.ceil(run.secondsLeft))} left`)
  return pace.join(" · ")
}

function duration(seconds) {
  if (seconds < 10) return `${Number(seconds.toFixed(1))} s`
  if (seconds < 90) return `${Math.round(seconds)} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** Always three digits, as the paper's tables: .974. */
const aucText = (auc) => fixed(auc, 3)

const epochTicks = (epochs, width) =>
  linearTicks(0, Math.max(epochs, 1), Math.max(2, width / 70)).filter(Number.isInteger)

/** Smallest and largest, without spreading thousands of arguments. */
const extent = (values) =>
  values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity])

const sorted = (values) => Float64Array.from(values).sort()

const median = (values) => sorted(values)[values.length >> 1]

/** The range, widened to hold all but the outermost hundredth of the scores at either end. */
function widen(range, scores) {
  if (!scores.length) return range
  const order = sorted(scores)
  const cut = Math.floor(order.length / 100)
  const [low, high] = [order[cut], order[order.length - 1 - cut]]
  return range ? [Math.min(range[0], low), Math.max(range[1], high)] : [low, high]
}
