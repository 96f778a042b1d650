// A drawing as a file of its own.

// Everything the style sheet may set on an SVG element; a downloaded file has no style sheet.
const DRAWN = [
  "fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap", "stroke-linejoin",
  "opacity", "font-family", "font-size", "font-weight", "font-variant-numeric", "paint-order", "image-rendering",
]

/** A text in lines of at most `length` characters. */
function wrapped(text, length) {
  const lines = []
  for (const word of text.split(" ").filter(Boolean)) {
    if (lines.length && lines.at(-1).length + 1 + word.length <= length) lines[lines.length - 1] += ` ${word}`
    else lines.push(word)
  }
  return lines
}

/** A text in two lines at most, of at most `length` characters. */
function twoLines(text, length) {
  const [first, ...more] = wrapped(text, length)
  return [first, more.join(" ")].filter(Boolean).map((line) => clip(line, length))
}

/**
 * The figure as a free-standing SVG: computed styles written into it, the page's background under it, `title`, `subtitle`
 * and `legend` ([{text, colour, hollow}]) above it. What is marked `data-screen` (handles, hit areas) stays on the screen.
 */
function standalone(figure, { title, subtitle = "", legend = [] }) {
  const { width, height } = figure.viewBox.baseVal
  const style = getComputedStyle(figure)
  const copy = figure.cloneNode(true)
  const [from, to] = [[figure, ...figure.querySelectorAll("*")], [copy, ...copy.querySelectorAll("*")]]
  from.forEach((node, k) => {
    if (getComputedStyle(node).display === "none" || node.hasAttribute("data-screen")) {
      to[k].setAttribute("data-drop", "")
      return
    }
    const computed = getComputedStyle(node)
    for (const name of DRAWN) if (computed.getPropertyValue(name)) to[k].style.setProperty(name, computed.getPropertyValue(name))
    to[k].removeAttribute("class")
  })
  copy.querySelectorAll("[data-drop]").forEach((node) => node.remove())

  const ink = style.getPropertyValue("--st-text-color") || style.color
  const paper = style.getPropertyValue("--st-background-color") || "#ffffff"
  const text = { fill: ink, "font-family": style.fontFamily }
  const head = svg("g", {}, svg("text", { ...text, x: 12, y: 26, "font-size": 15, "font-weight": 600, text: title }))
  let y = 26
  for (const line of wrapped(subtitle, width / 6.4))
    head.append(svg("text", { ...text, x: 12, y: (y += 18), "font-size": 12.5, text: line }))
  let x = Infinity
  for (const item of legend) {
    const advance = item.text.length * 6.6 + 34
    if (x + advance > width + 12) [x, y] = [12, y + 20]
    head.append(
      svg("circle", { cx: x + 5, cy: y - 4, r: 4.5, fill: item.hollow ? "none" : item.colour, stroke: item.colour, "stroke-width": 1.5 }),
      svg("text", { ...text, x: x + 16, y, "font-size": 12, text: item.text })
    )
    x += advance
  }
  const top = y + 14
  const [w, h] = [width + 24, height + top + 12]
  set(copy, { x: 12, y: top, width, height, style: null, role: null, tabindex: null })
  const whole = svg("svg", { xmlns: SVG, viewBox: `0 0 ${w} ${h}`, width: w, height: h }, svg("title", { text: title }))
  whole.append(svg("rect", { width: w, height: h, fill: paper }), head, copy)
  return { source: new XMLSerializer().serializeToString(whole), width: w, height: h }
}

/** A text as the name of a file. */
const slug = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") || "ssad"

function save(blob, name) {
  const url = URL.createObjectURL(blob)
  html("a", { href: url, download: name }).click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

/** Downloads the figure as `name`.svg, exactly as drawn. */
function saveSvg(figure, name, caption) {
  save(new Blob([standalone(figure, caption).source], { type: "image/svg+xml" }), `${name}.svg`)
}

/** Downloads the figure as `name`.png at twice its size. */
async function savePng(figure, name, caption) {
  const { source, width, height } = standalone(figure, caption)
  const picture = new Image()
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(source)}`
  await picture.decode()
  const canvas = html("canvas", { width: 2 * width, height: 2 * height })
  const context = canvas.getContext("2d")
  context.scale(2, 2)
  context.drawImage(picture, 0, 0, width, height)
  canvas.toBlob((blob) => save(blob, `${name}.png`), "image/png")
}
