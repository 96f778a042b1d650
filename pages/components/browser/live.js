// Two runs as they learn, and their replay. `data` comes once a second while they train; everything is made once and
// then only changed, so that nothing flickers. The replay has all its snapshots and never asks the server.

const REWIND = "M3 2.5h1.8v11H3zM13.5 2.5v11L5.5 8z"
const PLAY = "M4 2v12l9.5-6z"
const PAUSE = "M3.5 2.5h3.2v11H3.5zM9.3 2.5h3.2v11H9.3z"

const NOTE =
  "AUC and scores are live, on up to 512 fixed test images; only shown, never used to stop or pick."

class View {
  constructor(root) {
    this.root = root
    this.cards = []
    this.pictures = new Map() // address -> decoded image, or null while it is decoded
    this.at = null // index into the replayed epochs; null is the last one
    this.hover = null // the epoch under the pointer
    this.timer = 0
    this.draw = onceAFrame(() => this.render())
    this.build()
  }

  build() {
    const button = (testid, label, path, onclick) =>
      html(
        "button",
        { type: "button", "data-testid": testid, "aria-label": label, title: label, onclick },
        svg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("path", { d: path }))
      )
    this.play = button("replay-play", "Play", PLAY, () => (this.timer ? this.pause() : this.start()))
    this.slider = html("input", {
      type: "range",
      min: 0,
      step: 1,
      "aria-label": "Epoch to show",
      "data-testid": "replay-slider",
      oninput: () => {
        const index = Number(this.slider.value)
        this.pause()
        this.go(index)
      },
      onkeydown: (event) => {
        if (event.key !== " ") return
        event.preventDefault()
        this.play.click()
      },
    })
    this.where = html("span", { class: "where", "data-testid": "replay-epoch" })
    const rewind = button("replay-rewind", "Back to the first epoch", REWIND, () => {
      this.pause()
      this.go(0)
    })
    this.controls = html("div", { class: "controls", role: "group", "aria-label": "Replay of the training" })
    this.controls.append(rewind, this.play, this.slider, this.where)
    this.runs = html("div", { class: "runs" })
    this.note = html("p", { class: "note" })
    const foot = html("div", { class: "foot" }, this.controls, this.note)
    this.root.replaceChildren(this.runs, foot)
    new ResizeObserver(this.draw).observe(this.root)
  }

  update(data) {
    const before = this.epochs
    const paper = theme(this.root)
    for (const [kind, colour] of Object.entries(data.colours)) this.root.style.setProperty(`--${kind}`, readable(colour, paper))
    this.data = data
    this.epochs = [...new Set(data.runs.flatMap((run) => run.snapshots.map((snapshot) => snapshot.epoch)))]
    this.epochs.sort((a, b) => a - b)
    if (!data.replay || before?.join() !== this.epochs.join()) {
      this.pause()
      this.at = null
    }
    while (this.cards.length > data.runs.length) this.cards.pop().node.remove()
    while (this.cards.length < data.runs.length) {
      const card = new Card(this, this.cards.length)
      this.cards.push(card)
      this.runs.append(card.node)
    }
    const wanted = new Set(data.runs.flatMap((run) => [run.originals, ...run.snapshots.map((s) => s.reconstructions)]))
    for (const url of this.pictures.keys()) if (!wanted.has(url)) this.pictures.delete(url)
    for (const url of wanted) if (url) this.picture(url)
    this.render()
  }

  /** The decoded image at an address, or null until it is there; then everything is drawn again. */
  picture(url) {
    if (url && !this.pictures.has(url)) {
      this.pictures.set(url, null)
      const image = new Image()
      image.src = url
      image.decode().then(
        () => {
          if (!this.pictures.has(url)) return
          this.pictures.set(url, image)
          this.draw()
        },
        () => {} // a broken picture leaves its empty tiles
      )
    }
    return this.pictures.get(url) ?? null
  }

  /** The replayed epoch, or null where there is no replay. */
  get epoch() {
    if (!this.data.replay || !this.epochs.length) return null
    return this.epochs[this.at ?? this.epochs.length - 1]
  }

  go(index) {
    this.at = clamp(index, 0, this.epochs.length - 1)
    this.render()
  }

  goNear(epoch) {
    const distance = this.epochs.map((other) => Math.abs(other - epoch))
    this.pause()
    this.go(distance.indexOf(Math.min(...distance)))
  }

  start() {
    const last = this.epochs.length - 1
    if ((this.at ?? last) === last) this.at = -1
    const step = () => {
      this.timer = 0
      if (!this.root.isConnected) return
      if (this.at < last - 1) this.timer = setTimeout(step, clamp(4500 / this.epochs.length, 150, 700))
      this.go(this.at + 1)
    }
    step()
  }

  pause() {
    clearTimeout(this.timer)
    this.timer = 0
    if (this.data) this.renderControls()
  }

  render() {
    this.root.classList.toggle("replay", this.epoch !== null)
    this.renderControls()
    set(this.note, { text: this.cards.length > 1 ? `${NOTE} Dashed: the other run.` : NOTE })
    for (const card of this.cards) card.render()
  }

  renderControls() {
    const last = this.epochs.length - 1
    const playing = this.timer !== 0
    const off = this.epoch === null // shown all the same: nothing jumps when the replay comes
    const epochs = Math.max(...this.data.runs.map((run) => run.epochs))
    const text = off ? "Replay when done" : `Epoch ${this.epoch} of ${epochs}`
    for (const control of this.controls.querySelectorAll("button, input")) control.disabled = off
    set(this.slider, { max: off ? 0 : last, "aria-valuetext": text })
    this.slider.value = off ? 0 : (this.at ?? last)
    set(this.slider, { style: `--share: ${off || !last ? 0 : (100 * this.slider.value) / last}%` })
    set(this.where, { text })
    set(this.play, { "aria-label": playing ? "Pause" : "Play", title: playing ? "Pause" : "Play" })
    set(this.play.querySelector("path"), { d: playing ? PAUSE : PLAY })
  }
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".live")
  root.view ??= new View(root)
  root.view.update(data)
}
