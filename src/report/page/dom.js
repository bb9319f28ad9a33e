// Builds and changes the document. Text is only ever set as text, attributes as attributes: nothing here parses HTML.

const SVG = "http://www.w3.org/2000/svg";
const $ = (id) => document.getElementById(id);

// An element: el("p", {class: "note"}, "text", node, [more]). A function is a listener: {onclick: f}.
function el(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

// The same in SVG.
function svg(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) {
      if (typeof value === "function") node.addEventListener(name.slice(2), value);
    } else {
      node.setAttribute(name, value === true ? "" : value);
    }
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

// What stands in each node, so that only what changes is written.
const standing = new WeakMap();

// Whether it is new.
function changes(node, value) {
  if (standing.get(node) === value) return false;
  standing.set(node, value);
  return true;
}

function text(node, value) {
  if (changes(node, value)) node.textContent = value;
}

// Characters that cannot be seen, or that turn the text around: in a model's name they are why it does not wake.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u00a0\u3164\ufeff]/gu;

// A name as others have chosen it, set apart from the direction of the text around it; so are the nodes that `name`
// writes to, by their style.
function named(value) {
  const node = el("bdi", {class: "name"});
  let from = 0;
  for (const {0: unseen, index} of value.matchAll(UNSEEN)) {
    const code = "U+" + unseen.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
    node.append(value.slice(from, index), el("span", {class: "unseen", title: "a character that cannot be seen"}, code));
    from = index + unseen.length;
  }
  node.append(value.slice(from));
  return node;
}

function name(node, value) {
  if (!changes(node, value)) return;
  if (value.search(UNSEEN) < 0) node.textContent = value;
  else node.replaceChildren(named(value));
}

function icon(state) {
  const known = document.getElementById("i-" + state) ? state : "parked";
  return svg("svg", {class: "icon", "aria-hidden": "true"}, svg("use", {href: "#i-" + known}));
}

// Brings the children of a node into this order, moving as few as it can.
function arrange(parent, wanted) {
  let at = parent.firstChild;
  for (const node of wanted) {
    if (node === at) at = at.nextSibling;
    else parent.insertBefore(node, at);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

// Makes one node for each key, keeps those that are there, and puts them in order.
function keyed(parent, known, items, keyOf, make, update) {
  const nodes = [];
  const gone = new Set(known.keys());
  for (const item of items) {
    const key = keyOf(item);
    let entry = known.get(key);
    if (!entry) known.set(key, (entry = make(item)));
    gone.delete(key);
    update?.(entry, item);
    nodes.push(entry.node);
  }
  for (const key of gone) known.delete(key);
  arrange(parent, nodes);
}

const WORDS = {no_signal: "no signal", out_of_scope: "out of scope", dry_run: "dry run", other_waker: "other waker"};
const word = (state) => WORDS[state] ?? String(state).replaceAll("_", " ");

// 0.25 s, 3.1 s, 42 s, 3 min 20 s, 2 h 5 min
function span(seconds) {
  if (!Number.isFinite(seconds)) return "?";
  const s = Math.max(0, seconds);
  if (s < 1) return s.toFixed(2) + " s";
  if (s < 10) return s.toFixed(1) + " s";
  if (s < 90) return Math.round(s) + " s";
  if (s < 3600) return `${Math.floor(s / 60)} min ${Math.floor(s % 60)} s`;
  if (s < 172800) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return Math.floor(s / 86400) + " d";
}

// For what is shown all the time: no fractions, so that it changes once a second.
const whole = (seconds) => (seconds < 10 ? `${Math.max(0, Math.floor(seconds))} s` : span(seconds));
const age = (seconds) => (seconds < 2 ? "just now" : whole(seconds) + " ago");

const clock = (time) => new Date(time).toLocaleTimeString([], {hourCycle: "h23"});

function count(value) {
  if (!(value > 0)) return "0";
  if (value >= 1e15) return "∞";
  if (value >= 1e5) return (value / 1000).toFixed(0) + "k";
  return Number.isInteger(value) ? String(value) : value.toFixed(1);
}

const plural = (n, one, many) => `${n} ${n === 1 ? one : many ?? one + "s"}`;
