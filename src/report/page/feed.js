// Asks the listener: each second while somebody looks (or in five times as long as it took, over a slow line), not at all while nobody does, ever more seldom while it fails.

const EVERY = 1000;
const SELDOM = 15000;
const REST = 5;
const DECISIONS = 200;

// What was answered last.
const data = {status: null, decisions: [], lines: new Map(), answered: new Set(), step: 0, steps: 150, stepSeconds: 2};

const feed = {failures: 0, ok: 0, asked: 0, timer: 0, running: null, decisions: -1, took: 0, why: "", skew: 0};

// The time of the listener's machine: ages are told by it.
const serverNow = () => Date.now() + feed.skew;
const since = (time) => (serverNow() - Date.parse(time)) / 1000;

async function ask(path) {
  const answer = await fetch(path, {cache: "no-store", credentials: "same-origin", signal: AbortSignal.timeout(20000)});
  if (answer.ok) return answer.json();
  const said = (await answer.text()).slice(0, 300).trim();
  throw new Error(said ? `${answer.status}: ${said}` : `status ${answer.status}`);
}

// Fetches everything now. Who calls it while it runs gets the same round.
function refresh() {
  clearTimeout(feed.timer);
  feed.running ??= round().finally(() => {
    feed.running = null;
    plan();
  });
  return feed.running;
}

async function round() {
  feed.asked = performance.now();
  try {
    const status = await ask("api/status");
    feed.skew = Date.parse(status.time) - Date.now();
    await Promise.all([queues(status), decisions(status)]);
    data.status = status;
    feed.failures = 0;
    feed.ok = Date.now();
    const drawing = performance.now();
    show();
    document.dispatchEvent(new CustomEvent("status", {detail: status}));
    performance.measure("refresh", {start: drawing});
    feed.took = drawing - feed.asked;
  } catch (error) {
    feed.failures += 1;
    feed.why = error.name === "TimeoutError" ? "it did not answer within 20 s" : error instanceof TypeError ? "it cannot be reached" : error.message;
  }
  silence();
}

// The queues of the last minutes: all of them at first, then what is new.
async function queues(status) {
  const quiet = data.step > 0 && data.lines.size === 0 && !status.variants.some((v) => v.waiting > 0) && !status.blocked.some((b) => b.waiting > 0);
  const now = Math.floor(Date.parse(status.time) / 1000 / data.stepSeconds);
  if (quiet || now === data.step) return;
  const news = await ask("api/queues?since=" + data.step);
  Object.assign(data, {step: news.last, steps: news.steps, stepSeconds: news.stepSeconds});
  const oldest = news.last - news.steps;
  for (const step of news.answered) data.answered.add(step);
  for (const step of data.answered) if (step <= oldest || step > news.last) data.answered.delete(step);
  for (const {namespace, pool, model, waiting} of news.models) {
    const key = lineKey(namespace, pool, model);
    let line = data.lines.get(key);
    if (!line) data.lines.set(key, (line = new Map()));
    for (const [step, most] of waiting) line.set(step, most);
  }
  for (const [key, line] of data.lines) {
    for (const step of line.keys()) if (step <= oldest || step > news.last) line.delete(step);
    if (line.size === 0) data.lines.delete(key);
  }
}

const lineKey = (namespace, pool, model) => JSON.stringify([namespace, pool, model]);

async function decisions(status) {
  if (status.decisions === feed.decisions) return;
  data.decisions = (await ask("api/decisions?limit=" + DECISIONS)).decisions;
  feed.decisions = status.decisions;
}

// When the next round begins.
function plan() {
  clearTimeout(feed.timer);
  if (document.hidden) return;
  const every = feed.failures ? EVERY * 2 ** (feed.failures - 1) : Math.max(EVERY, REST * feed.took);
  const wait = Math.max(100, feed.asked + Math.min(SELDOM, every) - performance.now());
  feed.timer = setTimeout(refresh, wait);
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) refresh();
  else clearTimeout(feed.timer);
  silence();
});

// Says whether what stands here is of now.
function silence() {
  // One failure may be a connection that was closed meanwhile.
  const silent = feed.failures > 1 || (feed.failures > 0 && !data.status);
  const body = document.body;
  body.classList.toggle("silent", silent);
  if (data.status) body.classList.remove("loading");
  const live = document.hidden ? "paused" : silent ? "no answer" : data.status ? "live" : "asking";
  text($("live-text"), live);
  $("live").className = live.replace(" ", "-");
  $("silent").hidden = !silent;
  if (silent) {
    text($("silent-what"), feed.ok ? `No answer since ${clock(feed.ok)}.` : "No answer yet.");
    const stale = data.status ? " What stands below is of then." : "";
    text($("silent-why"), `scale-from-zero at ${location.host || "this address"}: ${feed.why}.${stale} Trying again by itself.`);
  }
  title();
}
