// The demo's panel on the status page: sends requests, breaks links of the wake path, and mends them.
// Text is only ever set as text: el() knows nothing else.
(() => {
"use strict";
const {el, refresh} = window.sfz;

const STYLE = `
#extra { background: var(--surface); border: 1px solid var(--line); border-radius: 8px; box-shadow: var(--shade); padding: .6rem .9rem .7rem; display: grid; gap: .55rem; }
#extra .play { display: grid; grid-template-columns: 3.5rem 1fr; gap: .4rem .5rem; align-items: baseline; }
#extra .play > div { display: flex; flex-wrap: wrap; gap: .4rem .5rem; align-items: baseline; }
#extra .end { margin-inline-start: auto; }
#extra input { vertical-align: -.1em; }
#extra select { font: inherit; color: inherit; background: var(--surface); border: 1px solid var(--line); border-radius: 6px; padding: .2em .4em; max-width: 100%; }
#extra .muted { color: var(--muted); }
#extra .link[aria-pressed=true] { color: var(--on-accent); background: var(--red); border-color: var(--red); }
#extra .link[aria-pressed=true]::before { content: "✕ "; }
#extra .link:disabled { color: var(--muted); cursor: not-allowed; border-style: dashed; }
#extra #demo-about { min-height: 1.45em; color: var(--muted); }
#extra #demo-broken:empty { display: none; }
#extra #demo-broken { display: grid; gap: .4rem; }
#extra #demo-broken li { display: grid; grid-template-columns: 1fr auto; gap: .1rem .8rem; align-items: start; border-inline-start: 4px solid var(--red); padding: .1rem .7rem; }
#extra #demo-broken p { grid-column: 1; }
#extra #demo-broken button { grid-column: 2; grid-row: 1 / span 2; }
#extra code { background: var(--raised); border-radius: 4px; padding: .05em .3em; }
#extra .error { color: var(--red); font-weight: 600; }
#extra .error:empty { display: none; }
@media (max-width: 46rem) { #extra .play { grid-template-columns: 1fr; } #extra .end { margin: 0; } }
`;

const sheet = new CSSStyleSheet();
sheet.replaceSync(STYLE);
document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];

// What the demo said last; models are all of them, by name.
const demo = {board: null, models: new Map(), chips: new Map(), broken: ""};

const model = el("select", {id: "demo-model", onchange: () => chosen()});
const waits = el("span", {class: "muted", id: "demo-waits", role: "status"});
const about = el("p", {id: "demo-about"});
const broken = el("ul", {id: "demo-broken", "aria-label": "Broken links"});
const links = el("div", {role: "group", "aria-label": "Links of the wake path"});
const error = el("p", {class: "error", role: "alert"});
const story = el("input", {type: "checkbox", id: "demo-story", onchange: () => post("story", {paused: !story.checked})});

const ABOUT = "Press a link to break it, and again to mend it. What it does is seen in the table below.";

function button(id, label, says, press) {
  return el("button", {type: "button", id, onclick: press, onpointerenter: () => say(says()), onfocus: () => say(says()), onpointerleave: () => say(""), onblur: () => say("")}, label);
}

const send = (count, askedBy) => () => post("requests", {model: model.value, count, askedBy});
const narrow = () => { location.hash = new URLSearchParams({q: model.value}); };

function say(what) {
  about.textContent = what || ABOUT;
}

// The commands in a sentence stand between backquotes.
function withCode(text) {
  return text.split("`").map((part, index) => (index % 2 ? el("code", {}, part) : part));
}

function build(section) {
  section.setAttribute("aria-label", "Play with the demo");
  section.append(
    el("div", {class: "play"}, el("h2", {}, el("label", {for: "demo-model"}, "Model")), el("div", {}, model,
      button("demo-narrow", "show only it", () => "Filters the table below.", narrow), waits,
      el("label", {class: "end"}, story, " requests also come by themselves"))),
    el("div", {class: "play"}, el("h2", {}, "Send"), el("div", {},
      button("demo-send-1", "1 request", () => "One request for the model: parked, it is asked for, starts, and serves.", send(1, "its-name")),
      button("demo-send-10", "10 requests", () => "Ten requests at once.", send(10, "its-name")),
      button("demo-send-case", "in CAPITALS", () => "One request for its name in capitals: no variant serves that, and it is listed as name_differs_by_case.", send(1, "another-case")),
      button("demo-send-unknown", "an unknown name", () => "One request for a name that nobody serves: it is listed as no_variant.", send(1, "an-unknown-name")))),
    el("div", {class: "play"}, el("h2", {}, "Break"), links), about, broken, error);
  say("");
  section.hidden = false;
}

function chosen() {
  showLinks();
  look();
}

function linkButton(text) {
  const isBroken = () => node.getAttribute("aria-pressed") === "true";
  const press = () => post("links", {link: text.link, broken: !isBroken(), ...(text.shared ? {} : {model: model.value})});
  const says = () => (isBroken() ? "Press it again to mend it." : text.seen);
  const node = button("demo-link-" + text.link, text.title + (text.shared ? " (for all)" : ""), says, press);
  node.classList.add("link");
  return node;
}

function show(board) {
  demo.board = board;
  for (const known of demo.models.values()) known.broken = undefined;
  for (const one of board.models) demo.models.set(one.name, one);
  if (model.length !== demo.models.size) {
    model.replaceChildren(...[...demo.models.keys()].map((name) => el("option", {value: name}, name)));
  }
  for (const text of board.links) {
    if (demo.chips.has(text.link)) continue;
    const node = linkButton(text);
    demo.chips.set(text.link, node);
    links.append(node);
  }
  if (document.activeElement !== story) story.checked = !board.paused;
  showLinks();
  showBroken();
}

function showLinks() {
  const {board} = demo;
  const one = demo.models.get(model.value);
  if (!board || !one) return;
  const is = new Set([...board.broken, ...(one.broken ?? [])].map(({link}) => link));
  for (const [link, node] of demo.chips) {
    node.setAttribute("aria-pressed", String(is.has(link)));
    node.disabled = (one.without ?? []).includes(link);
  }
  waits.textContent = one.waiting === 1 ? "1 waits at its EPP" : `${one.waiting} wait at its EPP`;
}

// What is broken, of whichever model, with what would mend it in real life.
function showBroken() {
  const {board} = demo;
  const all = board.broken.map((one) => ({...one, of: null}));
  for (const {name, broken} of demo.models.values()) for (const one of broken ?? []) all.push({...one, of: name});
  const now = JSON.stringify(all);
  if (now === demo.broken) return;
  demo.broken = now;
  const titles = new Map(board.links.map(({link, title, seen}) => [link, {title, seen}]));
  broken.replaceChildren(...all.slice(0, 20).map(({link, mend, of}) => {
    const {title, seen} = titles.get(link);
    const press = () => post("links", {link, broken: false, ...(of === null ? {} : {model: of})});
    return el("li", {"data-link": link}, el("p", {}, el("strong", {}, of === null ? title : `${of}: ${title}. `), " ", seen),
      el("p", {}, "In real life: ", withCode(mend)), el("button", {type: "button", onclick: press}, "Mend"));
  }));
}

async function exchange(path, options) {
  try {
    const answer = await fetch(path, {cache: "no-store", signal: AbortSignal.timeout(10000), ...options});
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.error);
    error.textContent = "";
    show(said);
  } catch (problem) {
    // That nobody answers at all is what the page itself says.
    if (!(problem instanceof TypeError)) error.textContent = problem.message;
  }
}

async function post(what, body) {
  const headers = {"Content-Type": "application/json", "X-Scale-From-Zero-Demo": "1"};
  await exchange("api/demo/" + what, {method: "POST", headers, body: JSON.stringify(body)});
  refresh();
}

const look = () => exchange("api/demo?" + new URLSearchParams({model: model.value}));

build(document.getElementById("extra"));
exchange("api/demo").then(() => document.addEventListener("status", look));
})();
