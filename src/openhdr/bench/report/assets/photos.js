"use strict";
/* Brackets without truth: scores where there are any, pictures of a set compared in views. */

const FACTS = JSON.parse(document.getElementById("facts").textContent);
const SMALL = 360; // px
const by = (id) => document.getElementById(id);
const chosen = { set: 0, view: 0, score: 0 };

/* ---- scores ---- */

const valueOf = (scores, key) => { const value = scores?.[key]; return value === "inf" ? Infinity : value ?? null; };
const text = (value, digits = 2) => (value === null ? "\u2013" : value === Infinity ? "\u221e" : value.toFixed(digits));

function cells(values, digits) {
  const known = values.filter((value) => value !== null), best = known.length > 1 ? Math.max(...known) : null;
  return { best, cell: (value, title) => make("td", { class: `number${value !== null && value === best ? " best" : ""}`, title: title ?? null }, text(value, digits)) };
}

function drawMeans() {
  const methods = Object.keys(FACTS.means), heads = FACTS.scores.map((score) => make("th", { scope: "col" }, score.head, make("small", {}, score.group)));
  const columns = FACTS.scores.map((score) => cells(methods.map((method) => valueOf(FACTS.means[method], score.key)), score.digits));
  const rows = methods.map((method) => make("tr", {}, make("th", { scope: "row" }, method),
    ...FACTS.scores.map((score, n) => columns[n].cell(valueOf(FACTS.means[method], score.key)))));
  by("means").replaceChildren(make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "method"), ...heads)), make("tbody", {}, ...rows));
}

/* A method with options may go on in the next line. */
const breakable = (name) => name.split(/(?<=[:,=])/).flatMap((part) => [part, make("wbr")]);

function drawEach() {
  const methods = Object.keys(FACTS.means), { key, digits } = FACTS.scores[chosen.score];
  const rows = FACTS.sets.map((set) => {
    const values = methods.map((method) => valueOf(set.values[method], key)), { cell } = cells(values, digits);
    return make("tr", {}, make("th", { scope: "row" }, set.name), ...values.map((value, n) => cell(value, set.values[methods[n]]?.error)));
  });
  by("each").replaceChildren(make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "bracket"),
    ...methods.map((method) => make("th", { scope: "col" }, ...breakable(method))))), make("tbody", {}, ...rows));
}

/* ---- pictures ---- */

const thumbs = [];
const comparison = new Comparison(by("compare"), () => requestAnimationFrame(drawThumbs));

function reduced(picture) {
  const scale = Math.min(1, SMALL / picture.width), width = Math.round(picture.width * scale), height = Math.round(picture.height * scale);
  const values = new Float32Array(3 * width * height), count = new Float32Array(width * height);
  for (let y = 0; y < picture.height; y++) {
    const row = Math.min(height - 1, Math.floor(y * scale)) * width;
    for (let x = 0; x < picture.width; x++) {
      const o = row + Math.min(width - 1, Math.floor(x * scale)), i = 3 * (y * picture.width + x);
      count[o] += 1;
      for (let c = 0; c < 3; c++) values[3 * o + c] += picture.values[i + c];
    }
  }
  for (let o = 0; o < values.length; o++) values[o] /= count[(o / 3) | 0];
  return { width, height, values, shown: null, ev: null };
}

function drawThumbs() {
  for (const { canvas, light } of thumbs) {
    if (light.ev === comparison.state.ev) continue;
    const shown = exposed(light, comparison.state.ev);
    canvas.width = shown.width;
    canvas.height = shown.height;
    canvas.getContext("2d").drawImage(shown, 0, 0);
  }
}

async function showView(start = {}) {
  const view = FACTS.sets[chosen.set].views[chosen.view];
  thumbs.length = 0;
  by("strip").replaceChildren();
  await comparison.show(view, start);
  for (const [index, picture] of view.pictures.entries()) {
    const light = reduced(await readLight(picture.light));
    if (view !== FACTS.sets[chosen.set].views[chosen.view]) return;
    const canvas = make("canvas", { role: "img", "aria-label": picture.label ?? picture.name });
    thumbs.push({ canvas, light });
    by("strip").append(make("figure", {}, make("figcaption", {}, picture.label ?? picture.name),
      make("button", { type: "button", class: "picture", onclick: () => comparison.show(view, { b: index }) }, canvas)));
    drawThumbs();
  }
}

async function showSet(index) {
  Object.assign(chosen, { set: index, view: 0 });
  const set = FACTS.sets[index];
  by("set-text").textContent = set.text;
  by("set-bar").replaceChildren(
    labelled("Bracket", select(FACTS.sets.map((one) => one.name), index, showSet)),
    ...(set.views.length ? [labelled("Picture", select(set.views.map((view) => view.name), 0, (n) => { chosen.view = n; showView(); }))] : []));
  for (const id of ["compare", "all", "strip"]) by(id).hidden = !set.views.length;
  if (!set.views.length) return;
  // where nothing is scored two methods are compared, else one with what stands last: the photo that was left out
  const beside = FACTS.scores.length || set.judged < 2 ? set.views[0].pictures.length - 1 : 1;
  await showView({ a: 0, b: beside, ev: 0 });
}

by("title").textContent = FACTS.title;
by("lead").textContent = FACTS.lead;
by("made").textContent = FACTS.made;
by("scores").hidden = !FACTS.means;
by("unit").textContent = FACTS.unit;
if (FACTS.means) {
  drawMeans();
  drawEach();
  by("score-bar").append(labelled("Score of every bracket",
    select(FACTS.scores.map((score) => `${score.group}: ${score.head}`), 0, (n) => { chosen.score = n; drawEach(); })));
}
showSet(0).then(() => { document.documentElement.dataset.ready = "yes"; });
