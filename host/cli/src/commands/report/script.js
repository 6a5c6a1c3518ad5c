// Sorts and filters the list of sessions. Everything is on the page without it.
"use strict";
(() => {
  const list = document.getElementById("list");
  if (!list) return;
  const FIRST = 30;
  const body = list.tBodies[0];
  const heads = Array.from(list.tHead.rows[0].cells);
  const search = document.getElementById("search");
  const words = document.getElementById("words");
  const found = document.getElementById("found");
  const more = document.getElementById("more");
  const said = new Map();
  for (const row of body.rows) said.set(row, row.textContent.toLowerCase());
  let limit = FIRST;

  const show = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of body.rows) {
      const text = said.get(row);
      const fits = wanted.every((word) => text.includes(word));
      if (fits) count += 1;
      row.hidden = !fits || count > limit;
    }
    found.textContent = wanted.length ? count + " of " + said.size : "";
    more.hidden = count <= limit;
    more.textContent = "Show all " + count;
  };

  const value = (row, at, kind) => {
    const cell = row.cells[at];
    return kind === "number" ? Number(cell.dataset.value) : cell.textContent.toLowerCase();
  };

  const sort = (at) => {
    const kind = heads[at].dataset.kind;
    const now = heads[at].getAttribute("aria-sort");
    const first = kind === "number" ? "descending" : "ascending";
    const next = now === null ? first : now === "ascending" ? "descending" : "ascending";
    for (const head of heads) head.removeAttribute("aria-sort");
    heads[at].setAttribute("aria-sort", next);
    const sign = next === "ascending" ? 1 : -1;
    const keyed = Array.from(body.rows, (row) => [value(row, at, kind), row]);
    keyed.sort((a, b) => (a[0] < b[0] ? -sign : a[0] > b[0] ? sign : 0));
    body.append(...keyed.map((pair) => pair[1]));
    show();
  };

  heads.forEach((head, at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(at));
    head.append(button);
  });
  search.addEventListener("submit", (event) => event.preventDefault());
  words.addEventListener("input", show);
  more.addEventListener("click", () => {
    limit = Infinity;
    show();
    list.parentElement.focus();
  });
  search.hidden = false;
  show();
})();
