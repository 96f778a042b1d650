// Pictures, which come as sheets of tiles from addresses of pictures.py.

/** A file at an address of pictures.py. */
async function fetched(address, tries = 5) {
  const answer = await fetch(address)
  if (answer.ok) return answer.arrayBuffer()
  // Between two runs of the page's script the server may have dropped it: it is there again in a moment.
  if (!tries) throw new Error(`${address}: ${answer.status}`)
  await new Promise((resolve) => setTimeout(resolve, 500))
  return fetched(address, tries - 1)
}

const KEPT = 60 // sheets
const decoded = new Map() // by address and colouring; the latest last

/**
 * The tiles of sheets, [address, number of tiles] each, one after the other: squares of `size` pixels, `columns` in a row of a
 * sheet. `tile(index)` gives one as a data URL (cut once, then kept), so that it can be put in an `<image>` or `<img>` and
 * survives in a downloaded SVG. With `stops` the grey tiles are coloured.
 */
async function tiles(sheets, { columns, size, stops = null }) {
  const all = await Promise.all(sheets.map(([address]) => {
    const key = `${address} ${stops}`
    const known = decoded.get(key) ?? sheet(address, { columns, size, stops })
    known.catch(() => decoded.delete(key))
    decoded.delete(key)
    decoded.set(key, known)
    if (decoded.size > KEPT) decoded.delete(decoded.keys().next().value)
    return known
  }))
  return {
    tile(index) {
      let k = 0
      for (; index >= sheets[k][1]; k++) index -= sheets[k][1]
      return all[k](index)
    },
  }
}

/** Gives a tile of one sheet. */
async function sheet(address, { columns, size, stops }) {
  const bitmap = await createImageBitmap(new Blob([await fetched(address)]))
  const canvas = html("canvas", { width: size, height: size })
  const context = canvas.getContext("2d", { willReadFrequently: true })
  const table = stops && Array.from({ length: 256 }, (_, grey) => colourAt(stops, grey / 255))
  const cut = new Map()
  return (index) => {
    if (!cut.has(index)) {
      context.drawImage(bitmap, (index % columns) * size, Math.floor(index / columns) * size, size, size, 0, 0, size, size)
      if (table) {
        const picture = context.getImageData(0, 0, size, size)
        for (let k = 0; k < picture.data.length; k += 4) picture.data.set(table[picture.data[k]], k)
        context.putImageData(picture, 0, 0)
      }
      cut.set(index, canvas.toDataURL("image/png"))
    }
    return cut.get(index)
  }
}
