// Puts it together: what is shown after each refresh, and what the reader has chosen, kept in the address.

function show() {
  const status = data.status;
  showOverview(status);
  showUnanswered(status);
  showTable(status);
  showWakes(data.decisions);
  showDecisions();
}

// The reader has chosen something else.
function change(chosen) {
  Object.assign(filter, chosen);
  filter.words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  if ($("filter").value !== filter.text) $("filter").value = filter.text;
  remember();
  if (!data.status) return;
  if ("sort" in chosen || "open" in chosen) showTable(data.status);
  else narrow();
}

let remembering = 0;

// Keeps the choice in the address, so that it outlives a reload and can be sent to somebody.
function remember() {
  clearTimeout(remembering);
  remembering = setTimeout(() => {
    const kept = new URLSearchParams();
    if (filter.text) kept.set("q", filter.text);
    if (filter.states.size) kept.set("state", [...filter.states].join(","));
    if (filter.sort !== "state") kept.set("sort", filter.sort);
    if (filter.open) kept.set("open", filter.open);
    const hash = String(kept);
    if (hash !== location.hash.slice(1)) history.replaceState(null, "", hash ? "#" + hash : location.pathname + location.search);
  }, 150);
}

function recall() {
  // Links to a section are no choice.
  if (/^#?[a-z]+$/.test(location.hash) && $(location.hash.slice(1))) return;
  const kept = new URLSearchParams(location.hash.slice(1));
  const states = (kept.get("state") ?? "").split(",").filter((state) => STATES.includes(state));
  const sort = kept.get("sort") ?? "state";
  const was = rows.get(filter.open);
  const chosen = kept.get("open") ?? "";
  if (was && filter.open !== chosen) close(was);
  change({text: (kept.get("q") ?? "").slice(0, 200), states: new Set(states), sort: Object.hasOwn(SORTS, sort) ? sort : "state", open: chosen});
}

makeHead();
recall();
addEventListener("hashchange", recall);
$("filter").addEventListener("input", (event) => change({text: event.target.value}));
$("filter").addEventListener("keydown", (event) => {
  if (event.key === "Escape") change({text: ""});
  else if (event.key === "ArrowDown") {
    const first = [...body.children].find((node) => !node.hidden);
    event.preventDefault();
    rows.get(first?.dataset.key)?.open.focus();
  }
});
$("retry").addEventListener("click", refresh);
$("more").addEventListener("click", () => {
  all = true;
  showDecisions();
});
addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  event.preventDefault();
  $("filter").focus();
});

window.sfz = {el, refresh};
refresh();
