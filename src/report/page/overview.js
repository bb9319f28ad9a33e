// Is it working? Prometheus, the watches, who decides, the ticks; and what is wrong with them in words.

const TROUBLE = new Set(["blocked", "reverted", "overdue", "no_signal"]);
// In this order, so that trouble comes first.
const STATES = ["blocked", "reverted", "overdue", "no_signal", "asked", "starting", "surplus", "serving", "parked", "out_of_scope"];

// Demand that was asked for longer ago, in seconds, is told with its age: with nothing inactive it is asked for seldom.
const OLD = 5;

const tiles = new Map();
const problemNodes = new Map();

function tile(key, label, mood, value, more) {
  let known = tiles.get(key);
  if (!known) {
    const [what, detail] = [el("strong"), el("span", {class: "more"})];
    known = {what, detail, node: el("div", {"data-tile": key}, el("dt", {}, label), el("dd", {}, el("span", {class: "lamp", "aria-hidden": "true"}), what, detail))};
    tiles.set(key, known);
    $("health").append(known.node);
  }
  known.node.className = "tile " + mood;
  text(known.what, value);
  text(known.detail, more);
}

function showOverview(status) {
  text($("version"), status.version);
  prometheus(status);
  watches(status);
  const role = status.dryRun ? ["warn", "dry run", "decides, and writes nothing"] : ["good", "wakes", "decides and writes"];
  tile("role", "This copy", ...(status.leading ? role : ["idle", "stands by", "another copy holds the Lease"]));
  const ticked = status.lastTick ? since(status.lastTick) : null;
  const every = status.effectiveIntervalSeconds > 0 ? `every ${milli(status.effectiveIntervalSeconds)}` : "";
  tile("tick", "Last tick", ticked === null ? "idle" : ticked < 10 ? "good" : "bad", ticked === null ? "none yet" : age(ticked), every);
  const up = status.variants.filter((v) => v.state === "serving").length;
  tile("variants", "Variants", "idle", String(status.variants.length), `${up} serving`);
  const [requests, models] = demand(status);
  const old = status.lastSuccessfulQuery ? since(status.lastSuccessfulQuery) : 0;
  tile("waiting", "Waiting", "idle", count(requests) + (requests === 1 ? " request" : " requests"), [models ? `for ${plural(models, "model")}` : "nobody waits", old > OLD && `as of ${age(old)}`].filter(Boolean).join(", "));
  document.body.classList.toggle("old-demand", old > OLD);
  problems(status);
}

// Requests waiting, and for how many models. Variants of one model wait for the same requests.
function demand(status) {
  const models = new Map();
  for (const v of status.variants) if (v.waiting > 0) models.set(JSON.stringify([v.namespace, v.pools, v.model]), v.waiting);
  for (const b of unanswered(status)) models.set(lineKey(b.namespace, b.pool, b.model) + b.reason, b.waiting);
  return [[...models.values()].reduce((sum, n) => sum + n, 0), models.size];
}

const milli = (seconds) => (seconds < 1 ? Math.round(seconds * 1000) + " ms" : span(seconds));

function prometheus(status) {
  const {queryFailing: failing, lastSuccessfulQuery: last} = status;
  const answered = last ? "last answer " + age(since(last)) : "no answer yet";
  if (failing) tile("prometheus", "Prometheus", "bad", "failing for " + whole(since(failing.since)), `${word(failing.reason)}; ${answered}`);
  else if (!status.leading) tile("prometheus", "Prometheus", "idle", "not asked", "the copy that leads asks");
  else tile("prometheus", "Prometheus", last ? "good" : "idle", last ? "answers" : "not asked yet", last ? answered : "");
}

function watches({watches}) {
  const of = (state) => watches.filter((watch) => watch.state === state).length;
  const parts = ["failing", "forbidden", "starting"].filter(of).map((state) => `${of(state)} ${state}`);
  const mood = of("failing") ? "bad" : of("forbidden") || of("starting") ? "warn" : "good";
  const absent = of("absent") ? `, ${of("absent")} absent` : "";
  tile("watches", "Watches", mood, parts.length ? parts.join(", ") : "in step", `${of("synced")} of ${watches.length} in step${absent}`);
}

// What is to be mended beside variants, each with its words.
function problemsOf(status) {
  const all = [];
  const say = (kind, what, why) => all.push({key: kind + what, kind, what, why});
  const failing = status.queryFailing;
  if (failing) say("bad", `Prometheus has not answered since ${clock(failing.since)}; nothing is woken until it does.`, failing.text);
  for (const watch of status.watches) {
    const where = watch.namespace ? ` in ${watch.namespace}` : "";
    if (watch.state === "failing") say("bad", `The watch of ${watch.kind}${where} fails; it goes on with what it knows.`, watch.text);
    if (watch.state === "forbidden") say("warn", `Not permitted to watch ${watch.kind}${where}.`, watch.text);
  }
  for (const conflict of status.conflicts ?? []) say("warn", conflict, "");
  for (const guard of status.guards ?? []) say("info", `A guard stands on ${guard.on} until ${clock(guard.until)}`, `for ${guard.model}`);
  return all;
}

const MOST_PROBLEMS = 8;

function problems(status) {
  const all = problemsOf(status);
  const shown = all.slice(0, MOST_PROBLEMS);
  if (all.length > shown.length) shown.push({key: "more", kind: "info", what: `and ${all.length - shown.length} more; see api/status`, why: ""});
  const make = () => {
    const [what, why] = [el("span", {class: "what"}), el("span", {class: "why"})];
    return {what, why, node: el("li", {}, what, " ", why)};
  };
  keyed($("problems"), problemNodes, shown, (p) => p.key, make, (known, p) => {
    if (changes(known.node, p.kind)) known.node.className = p.kind;
    name(known.what, p.what);
    name(known.why, p.why);
  });
}

// How much is wrong, for the title of the tab.
function troubles(status) {
  const of = problemsOf(status).filter((p) => p.kind === "bad").length;
  return of + status.variants.filter((v) => TROUBLE.has(v.state)).length + unanswered(status).length;
}

function title() {
  const n = data.status ? troubles(data.status) : 0;
  const mark = document.body.classList.contains("silent") ? "(no answer) " : n ? `(${n}) ` : "";
  document.title = mark + "scale-from-zero";
}

// Demand that stands in no row: nobody's, or nearest to a variant that is well otherwise.
function unanswered(status) {
  const blocked = new Set(status.variants.filter((v) => v.state === "blocked" || v.state === "reverted").map(fullName));
  return status.blocked.filter((b) => b.waiting > 0 && !(b.variant && blocked.has(b.variant)));
}

// As a decision or a blocked demand names it.
const fullName = (v) => (v.source === "VariantAutoscaling" ? "" : v.source + " ") + `${v.namespace}/${v.name}`;

const unansweredNodes = new Map();

function showUnanswered(status) {
  const all = unanswered(status).sort((a, b) => b.waiting - a.waiting);
  $("unanswered-box").hidden = all.length === 0;
  const make = () => {
    const parts = {waiting: el("strong"), model: el("span"), where: el("span", {class: "where"}), text: el("span", {class: "why"})};
    return {...parts, node: el("li", {}, icon("blocked"), parts.waiting, " for ", parts.model, " ", parts.where, " ", parts.text)};
  };
  const key = (b) => lineKey(b.namespace, b.pool, b.model) + b.reason;
  keyed($("unanswered"), unansweredNodes, all.slice(0, 50), key, make, (known, b) => {
    text(known.waiting, `${count(b.waiting)} waiting`);
    name(known.model, b.model ?? "a model without a name");
    name(known.where, [b.namespace && `in ${b.namespace}`, b.pool && `at pool ${b.pool}`].filter(Boolean).join(" "));
    name(known.text, (b.variant ? `nearest: ${b.variant}; ` : "") + b.text);
  });
}
