"use strict";
// Sorts and filters the tables of the page; without it they are whole, in their usual order.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  document.documentElement.classList.add("live");

  const compare = (first, second) => {
    const [a, b] = [Number(first), Number(second)];
    return Number.isNaN(a) || Number.isNaN(b) ? first.localeCompare(second) : a - b;
  };

  const sort = (table, place, ascending) => {
    for (const body of table.tBodies) {
      const rows = all("tr.row", body).map((row) => [row.cells[place].dataset.sort, row]);
      rows.sort(([a], [b]) => (a === "" ? Number(b !== "") : b === "" ? -1 : (ascending ? 1 : -1) * compare(a, b)));
      body.append(...rows.map(([, row]) => row));
    }
  };

  for (const button of all("th > button")) {
    button.addEventListener("click", () => {
      const head = button.parentElement;
      const { best } = head.dataset;
      const worst = best === "ascending" ? "descending" : "ascending";
      const direction = head.getAttribute("aria-sort") === best ? worst : best;
      all("[aria-sort]", head.parentElement).forEach((one) => one.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", direction);
      sort(head.closest("table"), head.cellIndex, direction === "ascending");
    });
  }

  const [task, method, origin, count] = ["task", "method", "origin", "count"].map((id) => document.getElementById(id));

  const filter = () => {
    const wanted = method.value.trim().toLowerCase();
    const fits = ({ dataset }) =>
      dataset.name.includes(wanted) && (["", dataset.origin].includes(origin.value) || dataset.origin === "reference");
    for (const one of all("[data-task]")) one.hidden = task.value !== "" && one.dataset.task !== task.value;
    for (const row of all("tr.row")) row.hidden = !fits(row);
    for (const body of all(".ranks tbody")) body.hidden = all("tr.row:not([hidden])", body).length === 0;
    if (origin.value === "other") all("details.folded").forEach((one) => { one.open = true; });
    const shown = all("section:not([hidden]) tr.row:not([hidden])").length;
    count.textContent = `${shown} of ${all("tr.row").length} rows shown`;
    document.dispatchEvent(new Event("filtered"));
  };

  document.getElementById("controls").addEventListener("submit", (event) => event.preventDefault());
  for (const one of [task, method, origin]) one.addEventListener("input", filter);
  filter();
})();
