// A table that the server has drawn; a click on a column, or its pin, reports the column's point.

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".pictures")
  if (root.content !== data.content) {
    const focused = root.querySelector("button:focus")?.id
    root.content = data.content
    root.innerHTML = data.content
    // The keyboard stays on the pin that it has pressed, wherever that is now; an image let go may be there no more.
    if (focused) (root.querySelector(`#${focused}`) ?? root.querySelector("button"))?.focus()
    root.style.setProperty("--columns", data.columns)
    root.style.setProperty("--most", `${data.tile}px`)
  }
  const paper = getComputedStyle(root).getPropertyValue("--st-background-color").trim()
  const parts = paper.startsWith("#") ? [1, 3, 5].map((k) => parseInt(paper.slice(k, k + 2), 16)) : paper.match(/[\d.]+/g) ?? [255, 255, 255]
  root.dataset.theme = parts.slice(0, 3).reduce((sum, v) => sum + Number(v), 0) < 380 ? "dark" : "light"
  root.onclick = (event) => {
    const point = event.target.closest("[data-point]")?.dataset.point
    if (point !== undefined) setTriggerValue("clicked", Number(point))
  }
}
