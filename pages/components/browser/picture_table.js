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
  theme(root)
  root.onclick = (event) => {
    const point = event.target.closest("[data-point]")?.dataset.point
    if (point !== undefined) setTriggerValue("clicked", Number(point))
  }
}
