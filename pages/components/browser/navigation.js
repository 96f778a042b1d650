// What Streamlit does not do for the ways between the pages. It runs after every page, and counts once.
if (!history.ofPages) {
  history.ofPages = true

  // Streamlit adds to the browser's history whenever the address changes, which here every control does, and does not come
  // back from there: Back would do nothing, once for each. So only another page is a step of it.
  const add = history.pushState
  let page = location.pathname
  history.pushState = function (state, title, to) {
    const path = new URL(to, location).pathname
    const step = path === page ? history.replaceState : add
    page = path
    return step.call(history, state, title, to)
  }

  // One that it had added before this ran: the address without a question, which is this page again.
  const back = (event) => {
    const again = location.pathname === page && !location.search
    page = location.pathname
    if (!again) return
    event.stopImmediatePropagation()
    history.back()
  }
  addEventListener("popstate", back, true)

  // Streamlit's links to other pages have no query, since a click on one leads there within the app, whatever key is held. So
  // that another tab asks the same question, a link gets it when it is about to be used, and its other clicks are the browser's.
  const linkOf = (event) => event.target.closest?.("a[data-testid*=Nav]")
  const carry = (event) => {
    const link = linkOf(event)
    if (link?.getAttribute("href") === "") link.href = "." // the first page, not this one
    if (link?.origin === location.origin) link.search = location.search
  }
  addEventListener("pointerdown", carry, true)
  addEventListener("keydown", carry, true)
  const leave = (event) => {
    if ((event.ctrlKey || event.metaKey || event.shiftKey) && linkOf(event)) event.stopPropagation()
  }
  addEventListener("click", leave, true)
}
