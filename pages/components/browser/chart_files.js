// A chart as a file: as a picture, as it is on the screen, and its numbers.

/** What is written in a figure, where texts are marked up and names escaped. */
function plain(text) {
  if (typeof text !== "string") return String(text ?? "")
  return new DOMParser().parseFromString(text.replaceAll("<br>", " "), "text/html").body.textContent
}

/** What its traces show, a line for each number: the panel, where there are several, the trace, x, y, what a cell of a matrix
 * has, and what is written there; columns are called as the axes are. A trace without any name repeats another, and where there
 * is no number it has a gap. An interval has two lines more, its low and its high end. */
function numbersOf(plot) {
  const axes = Object.entries(plot.layout)
  const called = (axis) => {
    const [, titled] = axes.find(([name, value]) => name.startsWith(`${axis}axis`) && value.title?.text) ?? []
    return titled?.title.text ?? plot.layout.meta[axis] ?? axis
  }
  const measure = plot.data.find(({ colorbar }) => colorbar?.title)?.colorbar.title.text
  const lines = [["panel", "trace", called("x"), called("y"), measure ?? "value", "text"]]
  // Arrays come packed; what Plotly has made of traces and layout has them as numbers.
  const { _fullData: traces, _fullLayout: layout } = plot
  const whole = JSON.parse(plot.wanted.figure).layout // a narrow page shortens names, and some figures do
  for (const { _input: given, x, y, z, text, xaxis, yaxis, error_x, error_y } of traces) {
    const place = (axis, k, values, more) => {
      const name = axis.replace(/^./, "$&axis")
      const { tickvals = [] } = layout[name]
      const value = values ? values[k] : k
      const names = whole.meta.names?.[name] ?? whole[name]?.ticktext
      return names?.[tickvals.indexOf(value)] ?? (more ? value + more : value)
    }
    const panel = layout.meta.panels?.[(Number(xaxis.slice(1)) || 1) - 1]
    const add = (end, at, ...more) => {
      if (at.every((value) => value != null)) lines.push([panel, `${given.name ?? ""} ${end}`.trim(), ...at, ...more])
    }
    const beside = Array.isArray(text) ? text : []
    const values = given.meta ?? z // of colours on a logarithmic scale
    const cell = (value, i, j) => add("", [place(xaxis, j, x), place(yaxis, i, y)], value, beside[i]?.[j])
    // A band is an outline: along its lower ends, and back along its upper ones.
    const outline = (i) => (given.fill !== "toself" ? "" : x.indexOf(x[i]) === i ? "low" : "high")
    const point = (i) => {
      for (const [end, bars, sign] of [[outline(i)], ["low", "arrayminus", -1], ["high", "array", 1]]) {
        const [right, up] = [error_x, error_y].map((bar) => bar?.[bars]?.[i])
        if (bars && right == null && up == null) continue
        add(end, [place(xaxis, i, x, sign * right), place(yaxis, i, y, sign * up)], null, beside[i])
      }
    }
    if (z) Array.from(values, (row, i) => Array.from(row, (value, j) => cell(value, i, j)))
    else if (given.name || beside.length) Array.from(y, (_, i) => point(i))
  }
  const quoted = (text) => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  return lines.map((line) => line.map((value) => quoted(plain(value))).join(",") + "\n").join("")
}

/** A button that saves it as a file of this kind, named by its title. */
function saving(kind, title, write) {
  const [width, height] = [29, 13]
  const text = `<text y="11" font-size="13" font-weight="600">${kind}</text>`
  const icon = { width, height, svg: `<svg xmlns="${SVG}" viewBox="0 0 ${width} ${height}">${text}</svg>` }
  const name = (plot) => slug(clip(plain(plot.layout.title.text), 80))
  return { name: kind, title, icon, click: (plot) => write(plot, name(plot)) }
}

const picture = (format) => (plot, filename) => {
  const paper = getComputedStyle(plot).getPropertyValue("--st-background-color").trim()
  const { data, layout } = plot // on the screen it is clear, and the page's colour lies behind it
  const [width, height] = [plot.clientWidth, plot.clientHeight]
  return Plotly.downloadImage({ data, layout: { ...layout, paper_bgcolor: paper } }, { format, filename, width, height, scale: 2 })
}

const FILES = [
  saving("PNG", "Download this figure as PNG", picture("png")),
  saving("SVG", "Download this figure as SVG", picture("svg")),
  saving("CSV", "Download its numbers as CSV", (plot, name) => save(new Blob([numbersOf(plot)], { type: "text/csv" }), `${name}.csv`)),
]
