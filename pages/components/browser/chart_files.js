// A chart as a file: as a picture, as it is on the screen, and its numbers.

const plain = (text) => String(text ?? "").replace(/<br>/g, " ").replace(/<[^>]+>/g, "")

/** What its traces show, a line for each number: the panel, where there are several, the trace, x, y, what a cell of a matrix
 * has, and what is written there; columns are called as the axes are. A trace without any name repeats another, and where there
 * is no number it has a gap. */
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
  for (const { _input: given, x, y, z, text, xaxis, yaxis } of traces) {
    const place = (axis, k, values) => {
      const { tickvals = [], ticktext = [] } = layout[axis.replace(/^./, "$&axis")]
      const value = values ? values[k] : k
      return ticktext[tickvals.indexOf(value)] ?? value
    }
    const panel = layout.meta.panels?.[(Number(xaxis.slice(1)) || 1) - 1]
    const beside = Array.isArray(text) ? text : []
    // A band is an outline: along its lower ends, and back along its upper ones.
    const end = (j) => (given.fill === "toself" ? (x.indexOf(x[j]) === j ? " low" : " high") : "")
    const add = (i, j, ...more) => {
      const at = [place(xaxis, j, x), place(yaxis, i, y)]
      if (at.every((value) => value != null)) lines.push([panel, given.name && given.name + end(j), ...at, ...more])
    }
    const values = given.meta ?? z // of colours on a logarithmic scale
    if (z) Array.from(values, (row, i) => Array.from(row, (value, j) => add(i, j, value, beside[i]?.[j])))
    else if (given.name || beside.length) Array.from(y, (_, i) => add(i, i, null, beside[i]))
  }
  const cell = (text) => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  return lines.map((line) => line.map((value) => cell(plain(value))).join(",") + "\n").join("")
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
