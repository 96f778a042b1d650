// A button that copies `data.text`, or the page's address where that is null. Where copying is refused, the text is
// shown, selected, to be copied by hand.

const ICON = {
  done: "M3 8.5l3.2 3.2L13 4.8",
  link:
    "M7 9.5a2.6 2.6 0 0 0 3.7 0l2.3-2.3a2.6 2.6 0 0 0-3.7-3.7l-.8.8M9 6.5a2.6 2.6 0 0 0-3.7 0L3 8.8a2.6 2.6 0 0 0 3.7 3.7l.8-.8",
  text: "M6 5.5h6.5v8H6zM10 5.5v-3H3.5v8H6",
}

const TEMPLATE = `
  <button type="button">
    <svg viewBox="0 0 16 16" aria-hidden="true"><path /></svg>
    <span class="label"><span class="todo"></span><span class="done" aria-hidden="true">Copied</span></span>
  </button>
  <span class="spoken" role="status" aria-live="polite"></span>
  <div class="refused" tabindex="-1" hidden>
    <label><span>The browser does not allow copying. Copy it from here:</span>
      <input readonly data-testid="copy-fallback" /></label>
  </div>`

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".copy")
  if (!root.firstChild) root.innerHTML = TEMPLATE
  const find = (selector) => root.querySelector(selector)
  const button = find("button")
  const status = find("[role=status]")
  const refused = find(".refused")
  const input = find("input")

  button.dataset.testid = data.text === null ? "copy-link" : "copy-text"
  status.dataset.testid = `${button.dataset.testid}-status`
  button.setAttribute("aria-label", data.label) // the visible words change
  const say = (copied) => {
    button.classList.toggle("copied", copied)
    find("path").setAttribute("d", copied ? ICON.done : data.text === null ? ICON.link : ICON.text)
  }
  say(button.classList.contains("copied"))
  find(".todo").textContent = data.label

  button.onclick = async () => {
    const text = data.text ?? window.location.href
    const copied = await copy(text)
    if (copied) button.focus() // copying by selection took it away
    say(copied)
    refused.hidden = copied
    status.textContent = copied ? `${data.what} copied` : "Copying was refused; the text is selected below the button."
    clearTimeout(root.timer)
    root.timer = setTimeout(() => {
      say(false)
      status.textContent = ""
    }, 2000)
    if (!copied) {
      input.value = text
      input.focus()
      input.select()
    }
  }
  root.onkeydown = (event) => {
    if (event.key === "Escape" && !refused.hidden) {
      refused.hidden = true
      button.focus()
    }
  }
  root.onfocusout = (event) => {
    if (!root.contains(event.relatedTarget)) refused.hidden = true
  }
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copyBySelection(text) // no clipboard outside https and localhost
  }
}

function copyBySelection(text) {
  const area = document.createElement("textarea")
  area.value = text
  area.style.cssText = "position: fixed; opacity: 0"
  document.body.append(area)
  area.select()
  const copied = document.execCommand("copy")
  area.remove()
  return copied
}
