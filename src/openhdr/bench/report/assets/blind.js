"use strict";
/* Pairs without names: the first method beside each other one, in random order, on random sides. */

const FACTS = JSON.parse(document.getElementById("facts").textContent);
const by = (id) => document.getElementById(id);
const shuffled = (values) => values.map((value) => [Math.random(), value]).sort((a, b) => a[0] - b[0]).map(([, value]) => value);
const pairs = shuffled(FACTS.sets.flatMap((set) => {
  const [first, ...others] = set.views.length ? set.views[0].pictures.slice(0, set.judged) : [];
  return others.map((other) => ({ set: set.name, first, other, sides: shuffled([first, other]) }));
}));
const choices = [];

function show() {
  const pair = pairs[choices.length];
  if (!pair) return finish();
  by("place").textContent = `${pair.set}, ${choices.length + 1} of ${pairs.length}`;
  for (const [n, side] of ["left", "right"].entries())
    by(side).replaceChildren(make("img", { src: by(pair.sides[n].light.layers[0]).textContent, alt: `picture ${side}` }));
}

function choose(side) {
  const pair = pairs[choices.length];
  if (!pair) return;
  const kept = side === null ? "equal" : pair.sides[side].name;
  choices.push({ scene: pair.set, first: pair.first.name, other: pair.other.name, kept });
  show();
}

function finish() {
  const others = [...new Set(choices.map((one) => one.other))];
  const rows = others.map((other) => {
    const some = choices.filter((one) => one.other === other), count = (kept) => some.filter(kept).length;
    return make("tr", {}, make("th", { scope: "row" }, `${some[0].first}, ${other}`),
      ...[count((one) => one.kept === one.first), count((one) => one.kept === "equal"), count((one) => one.kept === other)]
        .map((number) => make("td", { class: "number" }, String(number))));
  });
  by("counts").replaceChildren(make("thead", {}, make("tr", {}, ...["pair", "first kept", "equal", "second kept"].map((head) => make("th", { scope: "col" }, head)))), make("tbody", {}, ...rows));
  by("choices").textContent = JSON.stringify(choices, null, 1);
  by("judge").hidden = true;
  by("result").hidden = false;
}

by("title").textContent = `${FACTS.title}: pairs without names`;
by("made").textContent = FACTS.made;
by("left").addEventListener("click", () => choose(0));
by("right").addEventListener("click", () => choose(1));
by("equal").addEventListener("click", () => choose(null));
by("end").addEventListener("click", finish);
document.addEventListener("keydown", (event) => {
  const side = { ArrowLeft: 0, ArrowRight: 1, ArrowDown: null }[event.key];
  if (side !== undefined) { event.preventDefault(); choose(side); }
});
show();
document.documentElement.dataset.ready = "yes";
