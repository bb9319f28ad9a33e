// The table of variants: one row each, kept from one refresh to the next, with only what is new written.

const rows = new Map();
const filter = {text: "", states: new Set(), sort: "state", open: ""};
const COLUMNS = [
  ["state", "State"], ["model", "Model and variant"], ["pool", "Pool"], ["reason", "Why"],
  ["waiting", "Waiting"], ["queue", "Last 5 min"], ["replicas", "Ready"], ["cost", "Cost"],
];
const SORTS = {
  state: (a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state) || byName(a, b),
  model: (a, b) => byName(a, b),
  pool: (a, b) => compare(a.pools.join(), b.pools.join()) || byName(a, b),
  waiting: (a, b) => b.waiting - a.waiting || byName(a, b),
  replicas: (a, b) => (b.target?.ready ?? -1) - (a.target?.ready ?? -1) || (b.target?.replicas ?? -1) - (a.target?.replicas ?? -1) || byName(a, b),
  cost: (a, b) => b.cost - a.cost || byName(a, b),
};
const collator = new Intl.Collator(undefined, {numeric: true});
const compare = (a, b) => (a === b ? 0 : collator.compare(a, b));
const byName = (a, b) => compare(a.model, b.model) || compare(a.namespace, b.namespace) || a.cost - b.cost || compare(a.name, b.name);

const rowKey = (v) => `${v.source}/${v.namespace}/${v.name}`;

function makeHead() {
  const cells = COLUMNS.map(([key, label]) => {
    const sort = SORTS[key] && el("button", {type: "button", class: "sort", onclick: () => change({sort: key})}, label);
    return el("div", {role: "columnheader", class: "c-" + key, "data-sort": key}, sort || label);
  });
  $("table").append(el("div", {role: "rowgroup", class: "head"}, el("div", {role: "row", class: "row"}, cells)), body);
}

const body = el("div", {class: "body", role: "presentation"});

// Which rows can be seen: only their graphs are drawn.
const inView = new IntersectionObserver((seen) => {
  const baseline = known();
  for (const {target, isIntersecting} of seen) {
    const row = rows.get(target.dataset.key);
    if (!row) continue;
    row.inView = isIntersecting;
    if (isIntersecting) drawRow(row, baseline);
  }
}, {rootMargin: "200px"});

// A graph is made when its row is first seen.
function drawRow(row, baseline) {
  if (!row.graph) row.queue.append((row.graph = graph()).node);
  draw(row.graph, row.variant, baseline);
}

function makeRow(v) {
  const cell = (key, ...children) => el("div", {role: "cell", class: "c-" + key}, children);
  const row = {variant: v, haystack: "", graph: null, queue: cell("queue"), inView: false, detail: null};
  Object.assign(row, {
    state: el("span", {class: "state"}),
    open: el("button", {type: "button", class: "open", "aria-expanded": "false", tabindex: "-1", onclick: () => toggle(row)}),
    variantName: el("span", {class: "sub"}),
    pool: cell("pool"), reason: el("span", {class: "clamp"}), waiting: cell("waiting"), replicas: cell("replicas"), cost: cell("cost"),
  });
  row.line = el("div", {role: "row", class: "row"}, cell("state", row.state), cell("model", row.open, row.variantName),
    row.pool, cell("reason", row.reason), row.waiting, row.queue, row.replicas, row.cost);
  row.line.addEventListener("click", (event) => {
    // A click beside the button counts as well, but for who selects text to copy it.
    if (!event.target.closest("button, a") && String(getSelection()) === "") toggle(row);
  });
  row.node = el("div", {role: "rowgroup", class: "item", "data-key": rowKey(v)}, row.line);
  inView.observe(row.node);
  return row;
}

function updateRow(row, v) {
  const before = row.variant;
  row.variant = v;
  if (changes(row.state, v.state)) {
    row.state.replaceChildren(icon(v.state), word(v.state));
    row.node.dataset.state = v.state;
  }
  name(row.open, v.model);
  name(row.variantName, `${v.namespace} / ${v.name}`);
  name(row.pool, v.pools.join(", ") || "none");
  name(row.reason, v.reason);
  text(row.waiting, v.waiting > 0 ? count(v.waiting) : "–");
  text(row.replicas, ready(v));
  text(row.cost, String(v.cost));
  if (row.haystack === "" || before.reason !== v.reason || before.model !== v.model || before.state !== v.state) {
    row.haystack = [v.model, ...(v.aliases ?? []), v.namespace, v.name, v.state, word(v.state), v.reason, ...v.pools, v.target?.name ?? ""].join("\n").toLowerCase();
  }
  if (row.detail) updateDetail(row);
}

const ready = (v) => (v.target?.replicas === null || v.target?.replicas === undefined ? "?" : `${v.target.ready} / ${v.target.replicas}`);

// Every word of the filter must be somewhere in the row.
function matches(row) {
  if (filter.states.size && !filter.states.has(row.variant.state)) return false;
  return filter.words.every((part) => row.haystack.includes(part));
}
filter.words = [];

// In the order of last time to begin with: what is in order already is sorted at little cost.
let order = new Map();

function sorted(variants) {
  const at = (v) => order.get(rowKey(v)) ?? order.size;
  const places = variants.map((v) => [at(v), v]).sort(([a], [b]) => a - b);
  const all = places.map(([, v]) => v).sort(SORTS[filter.sort] ?? SORTS.state);
  order = new Map(all.map((v, i) => [rowKey(v), i]));
  return all;
}

function showTable(status) {
  keyed(body, rows, sorted(status.variants), rowKey, makeRow, updateRow);
  if (filter.open) open(rows.get(filter.open));
  const baseline = known();
  if (changes(body, baseline + data.step)) {
    for (const row of rows.values()) if (row.inView) drawRow(row, baseline);
  }
  narrow();
}

// Shows the rows that match, and says how many.
function narrow() {
  let shown = 0;
  let first = null;
  for (const node of body.children) {
    const row = rows.get(node.dataset.key);
    const hide = !matches(row);
    if (node.hidden !== hide) node.hidden = hide;
    if (!hide) {
      shown += 1;
      first ??= row;
    }
  }
  // One row can be reached with Tab, the others with the arrows.
  if (!current || current.node.hidden || !current.node.isConnected) reach(first);
  const narrowed = filter.words.length > 0 || filter.states.size > 0;
  text($("shown"), narrowed ? `${shown} of ${plural(rows.size, "variant")}` : "");
  chips();
  nothing(shown, narrowed);
}

let current = null;

function reach(row) {
  if (current) current.open.tabIndex = -1;
  current = row;
  if (row) row.open.tabIndex = 0;
}

body.addEventListener("focusin", (event) => reach(rows.get(event.target.closest(".item")?.dataset.key) ?? current));

body.addEventListener("keydown", (event) => {
  const item = event.target.closest(".item");
  if (!item || !event.target.matches(".open")) return;
  const shown = (step) => {
    let node = item;
    do node = step(node);
    while (node?.hidden);
    return node;
  };
  const end = (list) => list.find((node) => !node.hidden);
  const to = {
    ArrowDown: () => shown((node) => node.nextElementSibling),
    ArrowUp: () => shown((node) => node.previousElementSibling),
    Home: () => end([...body.children]),
    End: () => end([...body.children].reverse()),
  }[event.key];
  const row = rows.get(item.dataset.key);
  if (to) {
    event.preventDefault();
    rows.get(to()?.dataset.key)?.open.focus();
  } else if (event.key === "Escape" && row.detail) {
    toggle(row);
  }
});

const chipNodes = new Map();

function chips() {
  const counts = new Map();
  for (const row of rows.values()) counts.set(row.variant.state, (counts.get(row.variant.state) ?? 0) + 1);
  const shown = STATES.filter((state) => counts.has(state) || filter.states.has(state));
  const make = (state) => {
    const number = el("b");
    const press = () => {
      const states = new Set(filter.states);
      if (!states.delete(state)) states.add(state);
      change({states});
    };
    return {number, node: el("button", {type: "button", class: "chip", "data-state": state, onclick: press}, icon(state), number, " ", word(state))};
  };
  keyed($("chips"), chipNodes, shown, (state) => state, make, (chip, state) => {
    text(chip.number, String(counts.get(state) ?? 0));
    chip.node.setAttribute("aria-pressed", String(filter.states.has(state)));
  });
  for (const head of document.querySelectorAll("[data-sort]")) {
    const sorted = head.dataset.sort === filter.sort;
    if (sorted) head.setAttribute("aria-sort", "other");
    else head.removeAttribute("aria-sort");
  }
}

// Instead of rows.
function nothing(shown, narrowed) {
  const why = shown > 0 ? "" : narrowed && rows.size > 0 ? "filtered" : "none";
  $("none").hidden = why === "";
  $("table").hidden = why !== "";
  if (!changes($("none"), why) || why === "") return;
  if (why === "filtered") {
    const clear = el("button", {type: "button", onclick: () => change({text: "", states: new Set()})}, "Clear the filter");
    $("none").replaceChildren(el("h3", {}, "No variant matches the filter"), el("p", {}, clear));
    return;
  }
  $("none").replaceChildren(
    el("h3", {}, "No variants yet"),
    el("p", {}, "A variant is a way to serve a model: a VariantAutoscaling, or a ScaledObject or HorizontalPodAutoscaler with the annotation ", el("code", {}, 'llm-d.ai/managed: "true"'), "."),
    el("ol", {},
      el("li", {}, "Are there any? ", el("code", {}, "kubectl get variantautoscalings -A")),
      el("li", {}, "In the namespaces that are watched? See ", el("code", {}, "scope.namespaces"), " in the configuration."),
      el("li", {}, "Can they be read? The watches above say so, and ", el("code", {}, "scale-from-zero check"), " names what is missing.")),
  );
}
