// The small graphs: requests waiting over the last minutes.

const HIGH = 24;

// What waited for a variant in each step, over its models and pools: the newest step last.
function series(variant) {
  const values = new Array(data.steps).fill(0);
  let most = 0;
  for (const model of [variant.model, ...(variant.aliases ?? [])]) {
    for (const pool of variant.pools) {
      for (const [step, waiting] of data.lines.get(lineKey(variant.namespace, pool, model)) ?? []) {
        const at = values.length - 1 - (data.step - step);
        if (at >= 0 && at < values.length) most = Math.max(most, (values[at] += waiting));
      }
    }
  }
  return {values, most};
}

// An area, a step each, as a path; low queues are not blown up to full height.
function area({values, most}) {
  const scale = (HIGH - 2) / Math.max(most, 4);
  let path = "";
  let last = 0;
  for (let x = 0; x < values.length; x += 1) {
    const value = Math.min(values[x], most);
    if (value === last) continue;
    const y = value > 0 ? Math.min(HIGH - 2, HIGH - value * scale).toFixed(1) : HIGH;
    path += last > 0 ? `H${x}V${y}` : `M${x} ${HIGH}V${y}`;
    if (!(value > 0)) path += "Z";
    last = value;
  }
  if (last > 0) path += `H${values.length}V${HIGH}Z`;
  return path;
}

// Steps without an answer that still are no gap: with nothing inactive, demand is asked for every 30 s only.
const BRIDGED = 17;

// A line where it is known what waited: gaps are times without an answer.
function known() {
  const first = data.step - data.steps + 1;
  let path = "";
  let last = null;
  for (const step of [...data.answered].filter((at) => at >= first).sort((a, b) => a - b)) {
    const x = step - first;
    if (last === null || x - last > BRIDGED) path += (last === null ? "" : `H${last + 1}`) + `M${x} ${HIGH}`;
    last = x;
  }
  return last === null ? "" : path + `H${data.steps - last <= BRIDGED ? data.steps : last + 1}`;
}

function graph() {
  const line = svg("path", {class: "known"});
  const shape = svg("path", {class: "area"});
  const node = svg("svg", {class: "spark", viewBox: `0 0 ${data.steps} ${HIGH}`, preserveAspectRatio: "none", role: "img"}, line, shape);
  return {node, line, shape};
}

// Returns the most that has waited at once.
function draw(drawn, variant, baseline) {
  if (changes(drawn.line, baseline)) drawn.line.setAttribute("d", baseline);
  const queue = series(variant);
  const path = queue.most > 0 ? area(queue) : "";
  if (changes(drawn.shape, path)) drawn.shape.setAttribute("d", path);
  const minutes = Math.round((data.steps * data.stepSeconds) / 60);
  const label = queue.most > 0 ? `at most ${count(queue.most)} waiting in the last ${minutes} minutes` : `nobody waited in the last ${minutes} minutes`;
  if (changes(drawn.node, label)) drawn.node.setAttribute("aria-label", label);
  return queue.most;
}
