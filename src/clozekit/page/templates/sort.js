for (const button of document.querySelectorAll(".matrix th button"))
  button.addEventListener("click", () => {
    const head = button.closest("th"), table = head.closest("table"), at = head.cellIndex
    const was = head.getAttribute("aria-sort")
    const order = was ? { ascending: "descending", descending: "ascending" }[was] : at ? "descending" : "ascending"
    for (const each of table.querySelectorAll("[aria-sort]")) each.removeAttribute("aria-sort")
    head.setAttribute("aria-sort", order)
    const value = row => row.cells[at].dataset.v ?? row.cells[at].textContent
    const compare = (a, b) => at ? value(a) - value(b) : value(a).localeCompare(value(b), document.documentElement.lang, { numeric: true })
    const rows = [...table.tBodies[0].rows].sort((a, b) => order == "ascending" ? compare(a, b) : compare(b, a))
    table.tBodies[0].append(...rows)
  })
