// A figure drawn by Plotly, changed in place: nothing is built anew, and what was hidden in the legend stays so.

let loading

function plotly(address) {
  loading ??= load(address).catch(() => {
    loading = undefined // the next change tries again
    throw new Error("The script that draws charts could not be fetched; reload the page.")
  })
  return loading
}

// It has 5 MB, and its address names its content: what the browser has of it is good, though the server does not say so.
async function load(address) {
  const answer = await fetch(address, { cache: "force-cache" })
  if (!answer.ok) throw new Error(answer.statusText)
  const script = document.createElement("script")
  script.src = URL.createObjectURL(new Blob([await answer.blob()], { type: "text/javascript" }))
  await new Promise((resolve, reject) => {
    Object.assign(script, { onload: resolve, onerror: reject })
    document.head.append(script)
  })
  return window.Plotly
}

// The page's font and colours, which change with its theme.
function themed(layout, root) {
  const plot = root.firstElementChild
  const style = getComputedStyle(root)
  const theme = (name) => style.getPropertyValue(`--st-${name}`).trim()
  const text = theme("text-color")
  return {
    ...layout,
    title: { ...layout.title, font: { color: text } },
    font: { family: theme("font"), color: theme("gray-text-color") },
    hoverlabel: { bgcolor: theme("background-color"), bordercolor: theme("border-color"), font: { color: text } },
    modebar: { bgcolor: theme("background-color"), color: theme("gray-color"), activecolor: theme("primary-color") },
    autosize: true,
    uirevision: plot.revision, // a zoom stays while the figure is the same
    legend: { ...layout.legend, uirevision: plot.wanted.key },
  }
}

// Names in a colour of their own are mixed with the text's: by itself none reads well on both light and dark.
function legible(figure, root) {
  const text = channels(getComputedStyle(root).getPropertyValue("--st-text-color").trim())
  const mixed = (colour) => channels(colour).map((channel, i) => Math.round(0.7 * channel + 0.3 * text[i]))
  return figure.replace(/color:(#[0-9a-f]{6})/gi, (_, colour) => `color:${rgb(mixed(colour))}`)
}

const BAR = { width: 240, height: 32 } // what the bar of buttons takes at the upper right
const NARROW = 560 // pixels, of a root with no room beside a plot

// What Plotly cuts off where it is wider than `room`, or gives all of the room. The names of a plot's rows take a third of it.
function fit({ data, layout }, room) {
  fitTitles(layout, room)
  const { yaxis, legend } = layout
  if (yaxis?.ticktext) yaxis.ticktext = yaxis.ticktext.map((name) => shortened(name, Math.floor(room / 3 / 6.5)))
  if (legend?.orientation !== "v" || room >= NARROW) return
  layout.legend = { ...legend, x: 0, y: 0, yref: "container", yanchor: "bottom" }
  layout.margin.b = 75 + 19 * data.filter((trace) => trace.showlegend !== false).length
}

// A name, which may be marked up, in two lines at most.
function shortened(name, letters) {
  const escaped = (text) => html("p", { text }).innerHTML
  return name.replace(/[^<>]+(?=<|$)/g, (text) => twoLines(plain(text), letters).map(escaped).join("<br>"))
}

// The titles of a figure and its axes take the lines that they need. The figure's ends before the bar, or lies below it where
// the bar leaves little room.
function fitTitles(layout, room) {
  const lined = (text, letters) => text.split("<br>").flatMap((line) => wrapped(line, letters))
  const titles = Object.entries(layout).filter(([name, { title }]) => name.startsWith("xaxis") && title?.text)
  for (const [, { title }] of titles) title.text = lined(title.text, (room - 80) / 7).join("<br>")
  const { title, margin, template } = layout
  if (!title?.text) return
  const within = (width) => lined(title.text, width / 7.3)
  const beside = within(room - BAR.width)
  const below = room < 2.5 * BAR.width && beside.length > 1
  const lines = below ? within(room) : beside
  const more = lines.length - title.text.split("<br>").length
  title.text = lines.join("<br>")
  title.pad = { t: template.layout.title.pad.t + below * BAR.height }
  layout.margin = { ...template.layout.margin, ...margin }
  layout.margin.t += 20 * more + below * BAR.height
}

const SMALLEST = 9 // pixels, of a text that can be read
const LINE = 12 // pixels, of a line of such a text

// Where the columns of a matrix are narrow their names stand upright, and where there is no room for all only each second, or
// third, is there, the bold one among them: hovering, and the file of numbers, have them.
async function fitNames(plot) {
  const { _size: size, xaxis } = plot._fullLayout
  if (!xaxis.ticktext || !plot._fullData.some(({ type }) => type === "heatmap")) return
  const width = size.w / xaxis.ticktext.length
  if (width >= 1.5 * LINE) return
  const each = Math.ceil(LINE / width)
  const bold = xaxis.ticktext.findIndex((name) => name.includes("<b>"))
  const names = xaxis.ticktext.map((name, i) => ((i - bold) % each ? "" : name))
  await Plotly.relayout(plot, { "xaxis.ticktext": names, "xaxis.tickangle": 90, "xaxis.tickfont.size": SMALLEST + 1 })
}

// Where the texts of a matrix are wider than its cells, they are smaller and take the room of the bar of colours, or else there
// are none: hovering, and the file of numbers, have them.
async function fitCells(plot, room) {
  const { _size: size, xaxis } = plot._fullLayout
  const k = plot._fullData.findIndex(({ texttemplate }) => texttemplate)
  const texts = Array.from(plot.querySelectorAll(".heatmap-label text"), (text) => text.getBBox().width)
  if (!texts.length) return
  const widest = Math.max(...texts) + 3
  const cell = (width) => width / xaxis.tickvals.length
  if (widest <= cell(size.w)) return
  const font = Math.floor((12 * cell(room - size.l - 10)) / widest)
  const change = font < SMALLEST ? { texttemplate: "" } : { showscale: false, "textfont.size": Math.min(font, 12) }
  await Plotly.restyle(plot, change, [k])
}

// By these Plotly knows a trace again, also when others come before it.
function name(traces) {
  const known = {}
  for (const trace of traces) {
    const what = [trace.type, trace.name, trace.xaxis, trace.yaxis].join("-").replace(/[^\w-]/g, "_") // it is a class too
    known[what] = (known[what] ?? 0) + 1
    trace.uid = `${what}-${known[what]}`
  }
}

const FULL_SCREEN = {
  name: "full screen",
  title: "Full screen",
  icon: { width: 24, height: 24, path: "M4 4h6v2H6v4H4zM14 4h6v6h-2V6h-4zM4 14h2v4h4v2H4zM18 14h2v6h-6v-2h4z" },
  click: (plot) => (document.fullscreenElement ? document.exitFullscreen() : plot.parentElement.requestFullscreen()),
}
const CONFIG = {
  displaylogo: false,
  modeBarButtons: [FILES, ["zoom2d", "pan2d", "resetScale2d", FULL_SCREEN]],
}

// Plots whose place is gone, by their key. The same chart often comes back, with another answer or on the way back from another
// page: then it is there at once, and as it was.
const parked = new Map()
const MOST_PARKED = 8

function park(key, plot) {
  if (plot.data) window.Plotly.Fx.unhover(plot)
  plot.remove()
  discard(key)
  parked.set(key, plot)
  if (parked.size > MOST_PARKED) discard(parked.keys().next().value)
}

function discard(key) {
  if (parked.has(key)) window.Plotly?.purge(parked.get(key))
  parked.delete(key)
}

/** The plot of a place: the one that is there, the one that was parked, or a new one. */
function plotOf(root, key) {
  if (!root.firstElementChild) {
    root.append(parked.get(key) ?? document.createElement("div"))
    parked.delete(key)
  }
  return root.firstElementChild
}

async function draw(root, seen = root.seen) {
  const plot = root.firstElementChild
  if (!plot) return // it is parked
  const wanted = plot.wanted
  const height = document.fullscreenElement === root ? window.innerHeight : wanted.height
  root.style.height = plot.style.height = `${height}px`
  root.width = root.clientWidth
  try {
    const Plotly = await plotly(wanted.library)
    if (!seen) return // until somebody looks
    if (wanted !== plot.wanted || plot.parentElement !== root) return // another is on its way, or it is parked
    const look = themed({ height }, root)
    const drawn = [wanted.figure, JSON.stringify(look), root.width].join()
    if (drawn !== plot.drawn) {
      plot.drawn = drawn
      const figure = JSON.parse(legible(wanted.figure, root))
      name(figure.data)
      const { dark } = figure.layout.meta // how its traces look on a dark page
      if (dark && isDark(getComputedStyle(root).getPropertyValue("--st-background-color").trim()))
        for (const trace of figure.data) Object.assign(trace, dark)
      fit(figure, root.width)
      if (!plot.data) plot.replaceChildren()
      await Plotly.react(plot, figure.data, themed({ ...figure.layout, height }, root), CONFIG)
      await fitCells(plot, root.width)
      await fitNames(plot)
    }
  } catch (error) {
    if (!plot.data) plot.textContent = error.message
    return
  }
  root.classList.toggle("clickable", wanted.clickable)
  if (plot.listens) return
  plot.listens = true
  plot.on("plotly_click", ({ points: [{ x, y, customdata }] }) => {
    if (plot.wanted.clickable) plot.report("clicked", { x, y, customdata })
  })
}

addEventListener("beforeprint", () => document.querySelectorAll(".chart").forEach((root) => draw(root, true)))

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".chart")
  const plot = plotOf(root, data.key)
  root.dataset.testid = "chart"
  root.setAttribute("role", "figure")
  root.setAttribute("aria-label", data.alt)
  plot.revision = (plot.revision ?? 0) + (plot.wanted?.figure !== data.figure)
  plot.wanted = data
  const call = (plot.call = {})
  plot.report = setTriggerValue
  draw(root)

  root.observer ??= new ResizeObserver(() => {
    cancelAnimationFrame(root.frame)
    root.frame = requestAnimationFrame(() => root.clientWidth !== root.width && draw(root))
  })
  root.observer.observe(root)
  root.gaze ??= new IntersectionObserver(
    (changes) => {
      root.seen = changes.at(-1).isIntersecting
      draw(root)
    },
    { scrollMargin: "100px" },
  )
  root.gaze.observe(root)
  return () => {
    if (plot.call !== call) return // a later one has it: Streamlit ends the first one late where its script had to come
    root.observer.disconnect()
    root.gaze.disconnect()
    cancelAnimationFrame(root.frame)
    park(data.key, plot)
  }
}
