// What has happened: the last wakes from sample to scale to ready, and the decisions.

const MOST_WAKES = 12;
const FEW = 30;
const wakeNodes = new Map();
const decisionNodes = new Map();
let all = false;

// The wakes in the decisions, the newest first: each goes on until its target is ready, or something else comes of it.
function wakesOf(decisions) {
  const wakes = [];
  const last = new Map();
  const begin = (d, what) => {
    const wake = {key: `${d.time} ${d.target}`, what, time: d.time, model: d.model, target: d.target, waiting: d.waiting, scale: d.sampleToScaleSeconds, text: d.text};
    wakes.push(wake);
    last.set(d.target, wake);
  };
  for (const d of [...decisions].reverse()) {
    const wake = last.get(d.target);
    if (d.decision === "woken") begin(d, "starting");
    else if (d.decision === "dry_run") begin(d, "dry run");
    else if (d.decision === "other_waker") begin(d, "starting");
    else if (d.decision === "failed" && wake?.what === "failed") Object.assign(wake, {text: d.text});
    else if (d.decision === "failed") begin(d, "failed");
    else if (d.decision === "ready" && wake) Object.assign(wake, {what: "ready", ready: d.timeToReadySeconds});
    else if (d.decision === "reverted" && wake) Object.assign(wake, {what: "taken back", text: d.text});
    else if (d.decision === "escalated" && wake) Object.assign(wake, {what: "overdue", text: d.text});
  }
  return wakes.reverse();
}

const median = (values) => values.sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)];

function showWakes(decisions) {
  const wakes = wakesOf(decisions);
  const [scales, readies] = [wakes.map((w) => w.scale).filter(Number.isFinite), wakes.map((w) => w.ready).filter(Number.isFinite)];
  const sums = [scales.length && `${span(median(scales))} from sample to scale`, readies.length && `${span(median(readies))} to ready`].filter(Boolean);
  text($("wakes-sum"), wakes.length === 0 ? "None since this copy has started." : sums.length ? `Median ${sums.join(", ")}.` : "");
  const make = () => {
    const parts = {what: el("span", {class: "what"}), model: el("span", {class: "model"}), time: el("time"), scale: el("span"), ready: el("span"), note: el("span", {class: "note"})};
    return {...parts, node: el("li", {}, el("div", {}, parts.model, parts.time), el("div", {class: "way"}, parts.what, parts.scale, parts.ready), parts.note)};
  };
  keyed($("wakes-list"), wakeNodes, wakes.slice(0, MOST_WAKES), (w) => w.key, make, (known, w) => {
    if (changes(known.node, w.what)) known.node.dataset.what = w.what;
    text(known.what, w.what === "starting" ? `starting for ${whole(since(w.time))}` : w.what);
    name(known.model, w.model ?? w.target);
    at(known.time, w.time);
    text(known.scale, w.what === "failed" || w.what === "dry run" ? "" : Number.isFinite(w.scale) ? `sample → scale ${span(w.scale)}` : "scaled");
    text(known.ready, Number.isFinite(w.ready) ? `→ ready ${span(w.ready)}` : "");
    name(known.note, ["failed", "taken back", "overdue", "dry run"].includes(w.what) ? w.text : "");
  });
}

function at(node, time) {
  if (!changes(node, time)) return;
  node.dateTime = time;
  node.title = time;
  node.textContent = clock(time);
}

function showDecisionsIn(list, known, decisions) {
  const seen = new Map();
  const keyOf = (d) => `${d.time} ${d.decision} ${d.target ?? ""} ${d.model ?? ""} ${d.text}`;
  // Two that are alike in all of this are one line.
  for (const d of decisions) seen.set(keyOf(d), d);
  const make = (d) => {
    const time = el("time");
    at(time, d.time);
    return {node: el("li", {"data-what": d.decision}, time, el("span", {class: "what"}, word(d.decision)), el("span", {}, d.model ? named(d.model) : null, d.model ? ": " : null, named(d.text)))};
  };
  keyed(list, known, [...seen.values()], keyOf, make);
}

function showDecisions() {
  showDecisionsIn($("decisions-list"), decisionNodes, data.decisions.slice(0, all ? undefined : FEW));
  $("more").hidden = all || data.decisions.length <= FEW;
}
