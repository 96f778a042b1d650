// A figure drawn by Plotly, changed in place: nothing is built anew, and what was hidden in the legend stays so.

let loading

function plotly(address) {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script")
    script.src = address
    script.onload = () => resolve(window.Plotly)
    script.onerror = () => {
      loading = undefined // the next change tries again
      reject(new Error("The script that draws charts could not be fetched; reload the page."))
    }
    document.head.append(script)
  })
  return loading
}

// The page's font and colours, which change with its theme.
function themed(layout, root, key) {
  const style = getComputedStyle(root)
  const theme = (name) => style.getPropertyValue(`--st-${name}`).trim()
  const text = theme("text-color")
  return {
    ...layout,
    title: { ...layout.title, font: { color: text } },
    font: { family: theme("font") },
    hoverlabel: { bgcolor: theme("background-color"), bordercolor: theme("border-color"), font: { color: text } },
    autosize: true,
    legend: { ...layout.legend, uirevision: key },
  }
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

const CONFIG = {
  displaylogo: false,
  modeBarButtonsToRemove: ["select2d", "lasso2d", "zoomIn2d", "zoomOut2d"],
  toImageButtonOptions: { format: "svg" },
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".chart")
  const plot = root.firstElementChild ?? root.appendChild(document.createElement("div"))
  root.style.height = plot.style.height = `${data.height}px`
  root.setAttribute("aria-label", data.alt)
  root.setAttribute("role", "figure")
  root.dataset.testid = "chart"
  root.wanted = data
  root.report = setTriggerValue

  root.draw ??= async () => {
    const wanted = root.wanted
    const Plotly = await plotly(wanted.library)
    if (wanted !== root.wanted || !root.clientWidth) return // another is on its way, or nobody sees it
    const figure = JSON.parse(wanted.figure)
    name(figure.data)
    await Plotly.react(plot, figure.data, themed(figure.layout, root, wanted.key), CONFIG)
    root.classList.toggle("clickable", wanted.clickable)
    root.width = root.clientWidth
    if (plot.listens) return
    plot.listens = true
    plot.on("plotly_click", ({ points: [{ x, customdata }] }) => {
      if (root.wanted.clickable) root.report("clicked", { x, customdata })
    })
  }
  root.draw()

  root.observer ??= new ResizeObserver(() => {
    if (root.clientWidth && root.width !== undefined && root.width !== root.clientWidth) root.draw()
  })
  root.observer.observe(root)
  return () => {
    root.observer.disconnect()
    window.Plotly?.purge(plot)
  }
}
