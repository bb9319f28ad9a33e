// Everything about one variant, below its row.

function toggle(row) {
  if (row.detail) close(row);
  else {
    const other = rows.get(filter.open);
    if (other && other !== row) close(other);
    filter.open = rowKey(row.variant);
    open(row);
  }
  remember();
}

function close(row) {
  row.detail?.node.remove();
  row.detail = null;
  row.open.setAttribute("aria-expanded", "false");
  if (filter.open === rowKey(row.variant)) filter.open = "";
}

function open(row) {
  if (!row || row.detail) return;
  const detail = {fields: new Map(), list: el("dl"), graph: graph(), figure: el("figure"), command: el("code"), happened: el("ol", {class: "happened"}), known: new Map()};
  const said = el("span", {class: "said", role: "status"});
  const copy = el("button", {type: "button", onclick: () => copied(detail.command, said)}, "Copy");
  const inside = el("div", {role: "cell", "aria-colspan": String(COLUMNS.length)}, detail.list,
    el("p", {class: "command"}, el("span", {}, "Ask what is wrong: "), detail.command, " ", copy, " ", said),
    detail.figure, detail.happened);
  detail.figure.append(detail.graph.node, el("figcaption", {}, "Requests waiting, the last 5 minutes"));
  detail.node = el("div", {role: "row", class: "detail"}, inside);
  row.detail = detail;
  row.node.append(detail.node);
  row.open.setAttribute("aria-expanded", "true");
  updateDetail(row);
}

async function copied(code, said) {
  try {
    await navigator.clipboard.writeText(code.textContent);
    text(said, "copied");
  } catch {
    // Not over plain HTTP from another host: then it is selected, to be copied by hand.
    getSelection().selectAllChildren(code);
    text(said, "selected");
  }
}

// As a shell takes it.
const quoted = (value) => (/^[\w.:/-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`);

function updateDetail(row) {
  const {variant: v, detail} = row;
  const signals = new Map(data.status?.pools.map((p) => [`${p.namespace}/${p.name}`, p.signal]));
  const pools = v.pools.map((pool) => `${pool} (signal: ${word(signals.get(`${v.namespace}/${pool}`) ?? "unknown")})`);
  const t = v.target;
  const fields = [
    ["Why", v.reason],
    ["State", word(v.state)],
    ["Model", v.model],
    ["Aliases", (v.aliases ?? []).join(", ")],
    ["Variant", `${v.source} ${v.namespace}/${v.name}`],
    ["Target", t ? `${t.kind} ${v.namespace}/${t.name}` : "none"],
    ["Replicas", t ? `${t.ready ?? "?"} ready of ${t.replicas ?? "?"} asked for` : ""],
    ["Role", t?.role ?? ""],
    ["Pools", pools.join(", ") || "none selects it"],
    ["Waiting", v.waiting > 0 ? `${count(v.waiting)} requests` : "nobody"],
    ["Cost", String(v.cost)],
  ].filter(([, value]) => value !== "");
  const make = ([label]) => {
    const value = el("dd");
    return {value, node: el("div", {}, el("dt", {}, label), value)};
  };
  keyed(detail.list, detail.fields, fields, ([label]) => label, make, (field, [, value]) => name(field.value, value));
  text(detail.command, `scale-from-zero check -n ${quoted(v.namespace)} ${quoted(v.name)}`);
  detail.figure.hidden = draw(detail.graph, v, known()) === 0;
  const target = t ? `${t.kind} ${v.namespace}/${t.name}` : null;
  const own = data.decisions.filter((d) => d.variant === fullName(v) || (target && d.target === target)).slice(0, 8);
  showDecisionsIn(detail.happened, detail.known, own);
}
