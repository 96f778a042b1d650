// What is picked of the points: those of a lasso, and the one under the pointer.

const STRIP = 40 // images of a lasso shown at most
const FINGER = matchMedia("(pointer: coarse)").matches ? " Begin to the side: up and down scrolls the page. Tap a point for its image." : ""

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
      lab.aim(Number(event.target.closest("[data-index]")?.dataset.index ?? -1), this)
    })
    this.strip.addEventListener("pointerleave", () => lab.aim(-1))
  }

  draw() {}

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
    this.hint.textContent = lasso.length ? lab.lassoed : lab.lassoHint + FINGER
    const kept = this.sample(lab.mapDetector)
    this.cards = kept.map((i) => {
      const images = lab.cardPictures(i).map((src) => html("img", { src, alt: "", draggable: "false" }))
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

  anchor(i) {
    const box = this.cards.find((card) => card.i === i).node.getBoundingClientRect()
    return { x: box.left + box.width / 2, y: box.top + box.height / 2, clear: box.width / 2 + 14 }
  }

  point() {
    for (const { i, node } of this.cards) node.classList.toggle("pointed", i === this.lab.pointed)
  }
}

/** The images and numbers of the point under the pointer, beside it. */
class Tooltip {
  constructor(lab) {
    this.lab = lab
    this.node = html("div", { class: "tooltip", "data-testid": "tooltip", "aria-live": "polite", hidden: "" })
  }

  /** At an anchor, or nowhere. */
  show(anchor) {
    const { lab } = this
    const { pointed: i, group, groups, detectors } = lab
    set(this.node, { hidden: anchor ? null : "" })
    if (!anchor) return
    const figures = lab.pictures(i).map(([src, text, colour]) => {
      const image = html("img", { src, width: 96, height: 96, alt: text })
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
    let left = anchor.x - box.left + anchor.clear
    if (left + w > box.width) left = anchor.x - box.left - anchor.clear - w
    const top = clamp(anchor.y - box.top - h / 2, 0, box.height - h)
    this.node.style.transform = `translate(${Math.round(clamp(left, 0, box.width - w))}px, ${Math.round(top)}px)`
  }
}
