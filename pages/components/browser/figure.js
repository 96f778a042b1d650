// What the figures of linked views have in common: heading, downloads, groups to hide, marks, dragging. A figure has draw() (new
// data, size or theme), update() (threshold, sort, lasso), select() (another selection), point() (another point is under the
// pointer) and, where points can be pointed at, anchor() (where one is).

const NORMAL = 2 // the first group of test images; those before it are of training
const ANOMALOUS = 3

const TICK = "M-4.2 .4 L-1.4 3.2 L4.4 -3.2"
const CROSS = "M-3.4 -3.4 L3.4 3.4 M3.4 -3.4 L-3.4 3.4"

const ACROSS = 8 // pixels that a finger goes to the side before it drags; up or down it scrolls the page

/** `move(event)` from the press of the pointer until the node loses it (by its release, or otherwise), then `end()`; it may
 * leave the node. If the browser takes it, to scroll, `cancel()` instead: a figure's touch-action is pan-y. */
function draggable(node, { start, move, end, cancel }) {
  node.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || start(event) === false) return
    event.preventDefault()
    node.setPointerCapture(event.pointerId)
    const over = new AbortController()
    const on = (name, then) => node.addEventListener(name, then, { signal: over.signal })
    let still = event.pointerType === "touch"
    let close = end
    const follow = (moved) => {
      still &&= Math.abs(moved.clientX - event.clientX) < ACROSS
      if (!still) move(moved)
    }
    on("pointermove", follow)
    on("pointercancel", () => (close = cancel))
    on("lostpointercapture", () => {
      over.abort()
      close()
    })
    follow(event)
  })
}

/** `point(event)` wherever the pointer hovers, and where a finger taps: its click comes when it has left. */
function onPointed(node, point) {
  for (const kind of ["pointermove", "click"]) node.addEventListener(kind, point)
}

/** Whether a key is the browser's, as Alt and an arrow, which goes back. */
const isShortcut = (event) => event.altKey || event.ctrlKey || event.metaKey

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

