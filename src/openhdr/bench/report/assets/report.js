"use strict";
/* The report: table of means, pictures, plots, table of scenes. Facts come from results.json's own content. */

const FACTS = JSON.parse(document.getElementById("facts").textContent);
const RESULTS = FACTS.results;
const METRICS = RESULTS.metrics;
const by = (id) => document.getElementById(id);
const view = { group: "all", metric: METRICS[0].key, sort: METRICS[0].key, down: METRICS[0].higher_is_better, sceneSort: null, scene: 0 };

/* ---- numbers ---- */

const number = (value) => (value === "inf" ? Infinity : value === "-inf" ? -Infinity : value);
const metricOf = (key) => METRICS.find((metric) => metric.key === key);
const better = (metric, a, b) => (metric.higher_is_better ? a > b : a < b);

function shown(value, digits) {
  value = number(value);
  if (value === null || value === undefined) return "\u2013";
  return value === Infinity ? "\u221e" : value.toFixed(digits);
}
const score = (key, value) => shown(value, metricOf(key).unit ? 2 : 4);
const withUnit = (key, value) => score(key, value) + (metricOf(key).unit ? "\u00a0" + metricOf(key).unit : "");
const cost = (value) => (value === null ? "\u2013" : value >= 100 ? value.toFixed(0) : value.toPrecision(3));
const colour = (index) => `var(--m${index % 8})`;

/* ---- table of means ---- */

const COSTS = [
  { key: "time_s", head: "time", note: "s a scene", of: (row) => row.time_s, text: cost },
  { key: "cpu_s", head: "processor", note: "s a scene", of: (row) => row.cpu_s ?? null, text: cost },
  { key: "peak_memory_mb", head: "memory", note: "MB at most", of: (row) => row.peak_memory_mb, text: cost },
  { key: "params", head: "parameters", note: "of the network", of: (row) => row.facts.params, text: (v) => (v === null ? "\u2013" : v.toLocaleString("en")) },
  { key: "gmacs", head: "GMACs", note: "at 1060\u00d71900", of: (row) => row.facts.gmacs, text: cost },
];

function meanRows() {
  return RESULTS.means[view.group].map((row, index) => ({ ...row, index, facts: RESULTS.methods[index] }));
}

function columnsOf(rows) {
  const scores = METRICS.map((metric) => ({
    key: metric.key, head: metric.metric, note: metric.unit || "\u00a0", of: (row) => number(row.scores[metric.key]),
    text: (value) => score(metric.key, value), metric, scale: metric.scale,
  }));
  return [...scores, ...COSTS.filter((column) => rows.some((row) => column.of(row) !== null))];
}

function headCell(column, active, down, onclick) {
  const mark = active ? (down ? " \u25be" : " \u25b4") : "";
  return make("th", { scope: "col", class: column.starts ? "starts" : "", "aria-sort": active ? (down ? "descending" : "ascending") : "none" },
    make("button", { type: "button", onclick }, column.head, make("span", { class: "mark", "aria-hidden": "true" }, mark)),
    column.note ? make("small", {}, column.note) : null);
}

function sorted(rows, of, down) {
  const known = (value) => value !== null && value !== undefined;
  return [...rows].sort((a, b) => {
    const [x, y] = [of(a), of(b)];
    if (!known(x) || !known(y)) return known(y) - known(x);
    return x === y ? 0 : (x < y) === down ? 1 : -1;
  });
}

/* Columns on one scale stand together under a head that states it. */
function markStarts(columns) {
  columns.forEach((column, n) => { column.starts = n === 0 || column.scale !== columns[n - 1].scale; });
}

function scaleRow(columns) {
  const cells = [make("td", { class: "corner" })];
  columns.filter((column) => column.starts).forEach((first) => {
    const from = columns.indexOf(first), next = columns.findIndex((column, n) => n > from && column.starts);
    cells.push(make("th", { scope: "colgroup", class: "scale starts", colspan: (next < 0 ? columns.length : next) - from },
      make("span", {}, first.scale ?? "cost")));
  });
  return make("tr", {}, ...cells);
}

function drawMeans() {
  const rows = meanRows(), columns = columnsOf(rows), active = columns.find((column) => column.key === view.sort) ?? columns[0];
  markStarts(columns);
  const head = make("tr", {}, make("th", { scope: "col" }, "method"), ...columns.map((column) =>
    headCell(column, column === active, view.down, () => {
      view.down = column.key === view.sort ? !view.down : Boolean(column.metric?.higher_is_better);
      view.sort = column.key;
      drawMeans();
      by("means").querySelectorAll("thead button")[columns.indexOf(column)].focus();
    })));
  const best = new Map(columns.filter((column) => column.metric).map((column) => {
    const values = rows.map(column.of).filter((value) => value !== null);
    return [column.key, values.length ? (column.metric.higher_is_better ? Math.max : Math.min)(...values) : null];
  }));
  const body = sorted(rows, active.of, view.down).map((row) => make("tr", {},
    make("th", { scope: "row" }, row.method, make("small", {}, row.facts.summary)),
    ...columns.map((column) => {
      const value = column.of(row), top = column.metric && value !== null && value === best.get(column.key);
      return make("td", { class: `number${top ? " best" : ""}${column.starts ? " starts" : ""}` }, column.text(value));
    })));
  by("means").replaceChildren(make("thead", {}, scaleRow(columns), head), make("tbody", {}, ...body));
}

/* ---- plots ---- */

function ticks(low, high, log) {
  if (!log) {
    const raw = (high - low) / 5, power = Math.pow(10, Math.floor(Math.log10(raw)));
    const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= raw);
    return Array.from({ length: 12 }, (_, n) => (Math.ceil(low / step) + n) * step).filter((value) => value <= high);
  }
  const all = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++)
    for (const n of [1, 2, 5]) all.push(n * Math.pow(10, power));
  const inside = all.filter((value) => value >= low && value <= high);
  return inside.length > 6 ? inside.filter((value) => /^1(e|0*$)|^0\.0*1$/.test(String(value))) : inside;
}

function frontOf(points, metric) {
  const up = metric.higher_is_better ? 1 : -1;
  let best = -Infinity;
  return [...points].sort((a, b) => a.x - b.x || up * (b.y - a.y)).filter((point) => {
    if (up * point.y <= best) return false;
    best = up * point.y;
    return true;
  });
}

function scatter(points, metric, xLabel) {
  const width = Math.max(280, Math.min(620, by("plots").clientWidth)), height = Math.min(360, width * 0.78);
  const [left, right, top, bottom] = [54, 14, 14, 46];
  const finite = points.filter((point) => Number.isFinite(point.y));
  const [x0, x1] = [Math.min(...finite.map((p) => p.x)) / 1.5, Math.max(...finite.map((p) => p.x)) * 1.5];
  const ys = finite.map((p) => p.y), spread = Math.max(...ys) - Math.min(...ys) || Math.abs(ys[0]) * 0.1 || 1;
  const [y0, y1] = [Math.min(...ys) - 0.12 * spread, Math.max(...ys) + 0.12 * spread];
  const px = (x) => left + ((Math.log(x) - Math.log(x0)) / (Math.log(x1) - Math.log(x0))) * (width - left - right);
  const up = (y) => (metric.higher_is_better ? (y - y0) / (y1 - y0) : (y1 - y) / (y1 - y0));
  const py = (y) => height - bottom - up(y) * (height - top - bottom);
  const svg = make("svg:svg", { viewBox: `0 0 ${width} ${height}`, role: "img",
    "aria-label": `${metric.metric} against ${xLabel}: ` + points.map((p) => `${p.name} ${score(metric.key, p.y)} at ${cost(p.x)}`).join(", ") });
  for (const x of ticks(x0, x1, true))
    svg.append(make("svg:line", { class: "axis", x1: px(x), x2: px(x), y1: top, y2: height - bottom }),
      make("svg:text", { class: "tick", x: px(x), y: height - bottom + 18, "text-anchor": "middle" }, String(+x.toPrecision(2))));
  for (const y of ticks(y0, y1, false))
    svg.append(make("svg:line", { class: "axis", x1: left, x2: width - right, y1: py(y), y2: py(y) }),
      make("svg:text", { class: "tick", x: left - 8, y: py(y) + 4, "text-anchor": "end" }, String(+y.toPrecision(4))));
  svg.append(make("svg:text", { x: (left + width - right) / 2, y: height - 6, "text-anchor": "middle" }, xLabel));
  const front = frontOf(finite, metric);
  if (front.length > 1)
    svg.append(make("svg:path", { class: "front", d: "M" + front.map((p) => `${px(p.x)} ${py(p.y)}`).join("L") }));
  placeLabels(finite.map((p) => ({ ...p, cx: px(p.x), cy: py(p.y) })), width - right).forEach((p) => svg.append(
    make("svg:circle", { class: "dot", cx: p.cx, cy: p.cy, r: 7, fill: colour(p.index) },
      make("svg:title", {}, `${p.name}: ${withUnit(metric.key, p.y)}, ${cost(p.x)}`)),
    make("svg:text", { x: p.tx, y: p.ty, "text-anchor": p.anchor }, p.name)));
  return svg;
}

/* Names beside their dots, moved up or down where they would lie on another name or dot. */
function placeLabels(points, edge) {
  const taken = points.map((p) => ({ x0: p.cx - 8, x1: p.cx + 8, y: p.cy, half: 8 }));
  return points.map((p) => {
    const wide = 7.4 * p.name.length, tries = [];
    for (const dy of [0, 15, -15, 28, -28, 42, -42])
      for (const side of [1, -1]) tries.push({ x0: side > 0 ? p.cx + 11 : p.cx - 11 - wide, y: p.cy + dy, side });
    const free = (t) => t.x0 >= 2 && t.x0 + wide <= edge &&
      taken.every((o) => t.x0 > o.x1 || t.x0 + wide < o.x0 || Math.abs(t.y - o.y) > 7 + o.half * 0.8);
    const spot = tries.find(free) ?? tries[0];
    taken.push({ x0: spot.x0, x1: spot.x0 + wide, y: spot.y, half: 7 });
    return { ...p, tx: spot.side > 0 ? spot.x0 : spot.x0 + wide, ty: spot.y + 4, anchor: spot.side > 0 ? "start" : "end" };
  });
}

function drawPlots() {
  const metric = metricOf(view.metric), rows = meanRows(), figures = [];
  const axes = [
    { label: "processor seconds a scene", of: (row) => row.cpu_s ?? row.time_s, title: "time" },
    { label: "1e9 multiply-adds at 1060\u00d71900", of: (row) => row.facts.gmacs, title: "multiply-adds of the networks" },
  ];
  for (const axis of axes) {
    const points = rows.map((row) => ({ name: row.method, index: row.index, x: axis.of(row), y: number(row.scores[metric.key]) }))
      .filter((point) => point.x !== null && point.x > 0 && point.y !== null);
    const title = make("figcaption", {}, `${metric.metric} against ${axis.title}`, make("div", { class: "soft" }, metric.scale));
    if (axis.title !== "time" && !points.length) continue;
    const none = points.length && points.some((point) => Number.isFinite(point.y)) ? null
      : make("p", { class: "soft" }, "No finite score to plot.");
    figures.push(make("figure", {}, title, none ?? scatter(points, metric, axis.label)));
  }
  by("plots").replaceChildren(...figures);
}

/* ---- scene by scene ---- */

const RUNS = new Map(RESULTS.runs.map((run) => [run.scene + "\n" + run.method, run]));
const runOf = (scene, method) => RUNS.get(scene + "\n" + method);

function drawScenes() {
  const metric = metricOf(view.metric), names = RESULTS.methods.map((method) => method.name);
  const value = (scene, name) => { const run = runOf(scene.name, name); return !run || run.error ? null : number(run.scores[metric.key]); };
  by("each-text").textContent = `${metric.metric}${metric.unit ? " in " + metric.unit : ""} (${metric.scale}); ` +
    `${metric.higher_is_better ? "higher" : "lower"} is better. ` +
    (FACTS.scenes.length ? "Press an underlined score to see that result beside the truth." : "This page holds no pictures.");
  const visible = RESULTS.scenes.filter((scene) => view.group === "all" || scene.group === view.group);
  const order = view.sceneSort ? sorted(visible, (scene) => value(scene, view.sceneSort.name), view.sceneSort.down) : visible;
  const sort = (name) => () => {
    const again = view.sceneSort?.name === name;
    view.sceneSort = { name, down: again ? !view.sceneSort.down : false };
    drawScenes();
    by("scenes").querySelectorAll("thead button")[names.indexOf(name)].focus();
  };
  const head = make("tr", {}, make("th", { scope: "col" }, "scene"), ...names.map((name) =>
    headCell({ head: name }, view.sceneSort?.name === name, view.sceneSort?.down, sort(name))));
  const body = order.map((scene) => {
    const values = names.map((name) => value(scene, name)), known = values.filter((v) => v !== null);
    const best = known.reduce((a, b) => (better(metric, b, a) ? b : a), known[0]);
    const index = FACTS.scenes.findIndex((pictured) => pictured.name === scene.name);
    const seen = (name) => index >= 0 && FACTS.scenes[index].pictures.some((picture) => picture.name === name);
    const cell = (name, text) => !seen(name) ? text : make("button", {
      type: "button", class: "cell", "aria-label": `${scene.name}, ${name}: ${text}; show`, onclick: () => look(index, name) }, text);
    return make("tr", { class: index >= 0 && index === view.scene ? "chosen" : "" }, make("th", { scope: "row" }, scene.name),
      ...names.map((name, n) => values[n] === null ? missing(runOf(scene.name, name))
        : make("td", { class: values[n] === best ? "number best" : "number" }, cell(name, score(metric.key, values[n])))));
  });
  by("scenes").replaceChildren(make("thead", {}, head), make("tbody", {}, ...body));
}

const missing = (run) => run ? make("td", { class: "failed", title: run.error }, "failed") : make("td", {}, "\u2013");

/* ---- pictures ---- */

const comparison = new Comparison(by("compare"));

function labels(scene) {
  for (const picture of scene.pictures) {
    const run = runOf(scene.name, picture.name);
    picture.label = run ? `${picture.name} \u00b7 ${withUnit(view.metric, run.scores[view.metric])}` : picture.name;
  }
}

async function showScene(index, start = {}) {
  view.scene = index;
  const scene = FACTS.scenes[index];
  labels(scene);
  sceneSelect.selectedIndex = index;
  drawScenes();
  await comparison.show(scene, start);
}

async function look(index, name) {
  const names = FACTS.scenes[index].pictures.map((picture) => picture.name);
  by("pictures").scrollIntoView();
  await showScene(index, { a: names.indexOf(name), b: names.length - 1 });
}

/* ---- words ---- */

function findings() {
  const metric = METRICS[0], rows = RESULTS.means.all.filter((row) => row.scores[metric.key] !== null);
  const order = sorted(rows, (row) => number(row.scores[metric.key]), metric.higher_is_better);
  const said = [];
  if (order.length) {
    const first = order[0], second = order[1];
    said.push(`Best on average: ${first.method} with ${withUnit(metric.key, first.scores[metric.key])} ${metric.metric} (${metric.scale})` +
      (second ? `, then ${second.method} with ${withUnit(metric.key, second.scores[metric.key])}.` : "."));
    const photo = rows.find((row) => RESULTS.methods.find((method) => method.name === row.method).task === "photo");
    if (metric.unit === "dB") said.push("6 dB more means that the error is half as large.");
    if (photo && photo !== first)
      said.push(`The reference photo alone reaches ${withUnit(metric.key, photo.scores[metric.key])}: what a method adds is the difference to that.`);
  }
  const failed = RESULTS.runs.filter((run) => run.error);
  if (failed.length) said.push(`${failed.length} of ${RESULTS.runs.length} runs failed: ${failed[0].method} on ${failed[0].scene}: ${failed[0].error}`);
  if (RESULTS.methods.every((method) => method.gmacs === null))
    said.push("No network took part: nothing is plotted against multiply-adds.");
  return [...said, ...RESULTS.case.notes];
}

function terms(id, pairs) {
  by(id).replaceChildren(...pairs.filter(([, text]) => text).flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)]));
}

function words() {
  by("title").textContent = RESULTS.case.title;
  by("description").textContent = `${RESULTS.methods.length} methods on ${RESULTS.scenes.length} scene${RESULTS.scenes.length === 1 ? "" : "s"} with known truth. ${RESULTS.case.description}`;
  by("findings").replaceChildren(...findings().map((text) => make("li", {}, text)));
  by("maker").textContent = `openhdr ${RESULTS.openhdr}, ${RESULTS.date.slice(0, 10)}`;
  terms("terms", [
    ...METRICS.map((metric) => [metric.key, `${metric.summary} ${metric.higher_is_better ? "Higher" : "Lower"} is better. ${metric.protocol}.`]),
    ["time", "Seconds that one call took, photos already read, on the machine named below."],
    ["processor", "Seconds of processor time of that call, all cores together; other programs disturb it less."],
    ["memory", "Most memory that the call needed above what was in use before it."],
    ["GMACs", "1e9 multiply-adds of a network for a frame of 1060\u00d71900, by the rule of the NTIRE challenges."],
  ]);
  terms("methods", RESULTS.methods.map((m) => [m.name, [m.summary, m.method && `method ${m.method}`, 
    ...Object.entries(m.options).map(([key, value]) => `${key} ${value}`)].filter(Boolean).join("; ")]));
  const hardware = RESULTS.hardware, software = Object.entries(RESULTS.software).map(([name, version]) => `${name} ${version ?? "not installed"}`);
  terms("facts-list", [
    ["Date", RESULTS.date],
    ["openhdr", RESULTS.openhdr + (RESULTS.commit ? `, commit ${RESULTS.commit}` : "")],
    ["Machine", `${hardware.processor}, ${hardware.cores} cores, ${hardware.memory_gb ?? "?"} GB, ${hardware.system}`],
    ["Software", software.join(", ")],
    ["Time, memory", RESULTS.timing],
    ["Viewing", `metrics of human vision: protocol ${RESULTS.case.protocol}, ${RESULTS.case.ppd} pixels per degree`],
    ["Pictures here", (FACTS.lossless ? "stored without loss at 8 bits in two exposures" : "compressed (AVIF 4:4:4) in two exposures") +
      ", reduced where larger than 960 pixels; scores come from the full data. Light above 1.25 times what the shortest frame can hold is cut."],
  ]);
}

/* ---- start ---- */

const groups = Object.keys(RESULTS.means);
const counted = (group) => RESULTS.scenes.filter((scene) => group === "all" || scene.group === group).length;
const metricNames = METRICS.map((metric) => metric.key);
by("score-bar").append(
  ...(groups.length > 1 ? [choice("Scenes", groups.map((group) => `${group} (${counted(group)})`), 0, (n) => { view.group = groups[n]; drawAll(); })] : []),
  labelled("Metric of plots, scenes and pictures", select(metricNames, 0, (n) => {
    view.metric = metricNames[n];
    drawPlots();
    if (FACTS.scenes.length) {
      labels(FACTS.scenes[view.scene]);
      comparison.controls();
      comparison.paint();
    }
    drawScenes();
  })));
const sceneSelect = select(FACTS.scenes.map((scene) => scene.name), 0, (n) => showScene(n));
const stepScene = (by_) => () => showScene((view.scene + by_ + FACTS.scenes.length) % FACTS.scenes.length);
by("scene-bar").append(labelled("Scene", sceneSelect),
  ...(FACTS.scenes.length > 1 ? [make("button", { type: "button", "aria-label": "Previous scene", onclick: stepScene(-1) }, "\u2190"), make("button", { type: "button", "aria-label": "Next scene", onclick: stepScene(1) }, "\u2192")] : []));

function drawAll() { drawMeans(); drawPlots(); drawScenes(); }
words();
drawAll();
new ResizeObserver(() => drawPlots()).observe(by("cost"));

async function showFirst() {
  by("pictures").hidden = !FACTS.scenes.length;
  if (!FACTS.scenes.length) return;
  const names = FACTS.scenes[0].pictures.map((picture) => picture.name);
  const best = sorted(meanRows(), (row) => number(row.scores[view.metric]), METRICS[0].higher_is_better)[0]?.method;
  const photo = names.findIndex((name) => /photo/.test(name));
  await showScene(0, { a: Math.max(0, photo), b: Math.max(0, names.indexOf(best)), ev: -1 });
}
showFirst().then(() => { document.documentElement.dataset.ready = "yes"; });
