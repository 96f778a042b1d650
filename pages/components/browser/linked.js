// What components with linked views share: points that belong to a group and to a pair, the state of the views, and the
// figures, which are told of it.

const SOON = 200 // ms that new data wait for their pictures, so that all is drawn at once and nothing jumps

/** A message of linked.py: a header and the arrays it points into. */
function unpack(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true)
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)))
  const part = (name) => {
    const [start, size] = header.parts[name] ?? [0, 0]
    return size ? bytes.slice(4 + length + start, 4 + length + start + size) : null // a copy is aligned, a view is not
  }
  return { header, part }
}

/** The numbers in a part of a message, or null where there is none. */
const numbers = (part, Kind) => part && new Kind(part.buffer)

/** The data, the state, and the figures that show them. What kind they are of says `assemble`. */
class Linked {
  constructor(root) {
    this.root = root
    this.width = 0 // not known
    this.pointed = -1
    this.trouble = html("p", { class: "trouble", role: "alert" })
  }

  build() {
    this.selection = new Selection(this)
    this.tooltip = new Tooltip(this)
    this.assemble()
    this.root.append(this.trouble)
    this.redraw = onceAFrame(() => this.draw())
    this.changed = onceAFrame(() => this.figures.forEach((figure) => figure.update()))
    this.observer = new ResizeObserver(([entry]) => {
      if (Math.abs(entry.contentRect.width - this.width) < 1) return
      this.width = 0
      this.redraw()
    })
    this.observer.observe(this.root)
  }

  /** Takes a message; the same one again, or one whose state the views already hold, changes nothing. */
  async receive(bytes) {
    const { header, part } = unpack(bytes)
    this.latest = header
    const fresh = this.header?.version !== header.version
    const pictures = fresh && this.decode(header)
    const ready = fresh && (await Promise.race([pictures.catch(() => null), pause(SOON)]))
    if (this.latest !== header) return
    const before = this.header
    const known = remembered.get(header.key)
    const pushed = before ? before.revision !== header.revision : known?.revision !== header.revision
    this.header = header
    if (pushed) this.state = { ...header.state }
    else if (!before) this.state = { ...known.state }
    else if (before.id !== header.id) this.state.lasso = []
    if (pushed) this.told = JSON.stringify(this.state)
    this.remember()
    if (fresh) this.take(header, part, before?.id === header.id)
    if (ready) this.illustrate(ready)
    if (!before) {
      this.build()
      this.theme()
    }
    this.tint()
    if (fresh || pushed) this.draw()
    if (this.theme()) {
      this.tint()
      this.draw()
    }
    if (!fresh || ready) return
    const late = await pictures.catch(() => null)
    if (this.header.version !== header.version) return
    if (!late) return this.say("The images could not be fetched. Reload the page to try again.")
    this.illustrate(late)
    this.drawPictures()
  }

  /** The numbers of a message; the old pictures stay until the new ones are there, if they are of the same points. */
  take(header, part, samePoints) {
    if (this.figures) this.aim(-1) // the point may be another, or nowhere
    this.say("")
    this.group = numbers(part("group"), Uint8Array)
    this.pair = numbers(part("pair"), Int32Array)
    if (!samePoints) this.originals = null
    this.members = header.groups.map((_, g) => [...this.group.keys()].filter((i) => this.group[i] === g))
    this.shuffled = [...this.group.keys()].sort((a, b) => hash(a) - hash(b))
    this.state.lasso = this.state.lasso.filter((i) => i < this.group.length)
  }

  /** The sheets of a message, fetched and decoded. */
  async decode(header) {
    return { originals: await tiles(header.sheets.originals, header) }
  }

  /** Shows what `decode` has found from now on. */
  illustrate({ originals }) {
    this.originals = originals
  }

  /** What is drawn on; true if it has changed. To ask has the browser work out all styles, so it comes after drawing. */
  theme() {
    const before = this.paper
    this.paper = theme(this.root)
    return this.paper !== before
  }

  /** Group colours are fixed; on a dark page a dark one is lifted until it can be read. */
  tint() {
    this.groups = this.header.groups.map(({ name, colour }) => ({ name: sentence(name), colour: readable(colour, this.paper) }))
  }

  /** The widths there are, once for all that is drawn until they change: to ask has the browser lay out the page. */
  measure() {
    this.width = this.root.clientWidth
    for (const figure of this.figures) if (figure instanceof Figure) figure.measure()
  }

  /** A figure that is drawn anew is then told of the selection, and need not show it before. */
  draw() {
    if (!this.width) this.measure()
    if (!this.width) return // nobody sees it yet
    for (const figure of this.figures) figure.draw()
    for (const figure of this.figures) figure.select()
  }

  /** Draws anew what has pictures in it, when they are there. */
  drawPictures() {
    for (const figure of this.width ? this.illustrated : []) {
      figure.draw()
      figure.select()
    }
  }

  label(i) {
    return this.header.names[this.header.labels[i]]
  }

  /** A point's image. */
  tile(i) {
    return this.originals.tile(i)
  }

  /** What the tooltip shows of a point: images, what they are, and the colour above them. */
  pictures(i) {
    if (!this.originals) return []
    const { group, groups, pair } = this
    const own = [this.tile(i), "this image", groups[group[i]].colour]
    const twin = pair[i]
    return twin < 0 ? [own] : [own, [this.tile(twin), TWINS[group[i]], groups[group[twin]].colour]]
  }

  /** What the selection shows of a point. */
  cardPictures(i) {
    return this.originals ? [this.tile(i)] : []
  }

  /** Whether a detector is right about an image, where there is a threshold; else null. */
  right() {
    return null
  }

  /** A toggle was clicked, or a lasso closed. */
  choose(change) {
    const same = Object.entries(change).every(([name, value]) => JSON.stringify(this.state[name]) === JSON.stringify(value))
    Object.assign(this.state, change)
    if (same) return this.figures.forEach((figure) => figure.update())
    this.toggled(change)
    for (const figure of this.figures) figure.select()
    this.tell()
  }

  tell() {
    const state = JSON.stringify(this.state)
    if (state === this.told) return
    this.told = state
    this.remember()
    this.component.setStateValue("state", JSON.parse(state))
  }

  remember() {
    remembered.set(this.header.key, { revision: this.header.revision, state: { ...this.state } })
  }

  /** Another point is under the pointer, in a figure. */
  aim(i, figure) {
    if (i === this.pointed) return
    this.pointed = i
    this.hovered = figure?.detector ?? this.mapDetector
    for (const each of this.figures) each.point()
    this.tooltip.show(i < 0 ? null : figure.anchor(i))
  }

  /** Says what went wrong; with "", no more. */
  say(trouble) {
    set(this.trouble, { text: trouble })
  }

  leave() {
    this.latest = null
    this.observer?.disconnect()
  }
}

const TWINS = ["after aug", "before aug", "after gen", "before gen"] // by group

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1)

/** A fixed shuffle: what integers hash to. */
const hash = (k) => Math.imul(k ^ (k >>> 7), 2654435761) >>> 0

const mounted = new WeakMap() // by root
const remembered = new Map() // by key: what a component that is mounted anew goes on with

/** What a component does with each message. */
function mount(component, Kind) {
  const root = component.parentElement.querySelector(".views")
  if (!mounted.has(root)) mounted.set(root, new Kind(root))
  const linked = mounted.get(root)
  linked.component = component
  linked.receive(component.data)
  return () => {
    linked.leave()
    mounted.delete(root)
  }
}
