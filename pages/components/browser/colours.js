// Colours: scales of them, and what can be read on a light and on a dark page.

// Viridis at nine stops and Inferno at nine: perceptually even, readable in grey and for the colour-blind.
const VIRIDIS = ["#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725"]
const INFERNO = ["#000004", "#210c4a", "#57106e", "#8a226a", "#bc3754", "#e45a31", "#f98e09", "#f9cb35", "#fcffa4"]

/** [r, g, b], 0 to 255, of a CSS colour `#rrggbb` or `rgb(…)`. */
const channels = (colour) =>
  colour.startsWith("#")
    ? [1, 3, 5].map((k) => parseInt(colour.slice(k, k + 2), 16))
    : (colour.match(/[\d.]+/g) ?? [255, 255, 255]).slice(0, 3).map(Number)

/** The colour at `share` (0 to 1) of a list of stops, as [r, g, b]. */
function colourAt(stops, share) {
  const place = clamp(Number.isFinite(share) ? share : 0, 0, 1) * (stops.length - 1)
  const k = Math.min(Math.floor(place), stops.length - 2)
  const [a, b] = [channels(stops[k]), channels(stops[k + 1])]
  return a.map((value, c) => Math.round(value + (b[c] - value) * (place - k)))
}

const rgb = (colour) => `rgb(${colour.join(",")})`

/** Relative luminance (WCAG) of a CSS colour `#rrggbb` or `rgb(…)`. */
function luminance(colour) {
  const [r, g, b] = channels(colour).map((value) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4))
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

const isDark = (paper) => luminance(paper) < 0.2

/** The colour that `root` is drawn on; `root` is marked light or dark, for theme.css. */
function theme(root) {
  const paper = getComputedStyle(root).getPropertyValue("--st-background-color").trim() || "#ffffff"
  set(root, { "data-theme": isDark(paper) ? "dark" : "light" })
  return paper
}

/** A fixed colour `#rrggbb`; for a dark page mixed with white until its contrast with it is 4.5. */
function readable(colour, paper) {
  let mixed = channels(colour)
  while (isDark(paper) && (luminance(rgb(mixed)) + 0.05) / (luminance(paper) + 0.05) < 4.5)
    mixed = mixed.map((v) => Math.min(255, v + 8))
  return `#${mixed.map((v) => v.toString(16).padStart(2, "0")).join("")}`
}

/** A `<linearGradient>` of stops, to be filled with `url(#id)`. */
function gradient(id, stops) {
  return svg(
    "linearGradient",
    { id },
    ...stops.map((colour, k) => svg("stop", { offset: k / (stops.length - 1), "stop-color": colour }))
  )
}
