"use strict";
/* Two pictures of one scene under one exposure: a split that is dragged, or one picture flipped for the other.
   A picture's light comes in two layers of sRGB codes (see pictures.py); here it becomes floating-point light
   again, and every move of the exposure slider shows it anew, so that nothing is tone-mapped. */

const NEW_SVG = "http://www.w3.org/2000/svg";

function make(tag, attributes = {}, ...children) {
  const node = tag.startsWith("svg:") ? document.createElementNS(NEW_SVG, tag.slice(4)) : document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== null && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

function labelled(label, control, wide = false) {
  return make("label", { class: wide ? "field wide" : "field" }, label, control);
}

function select(names, chosen, onchange) {
  const node = make("select", { onchange: () => onchange(node.selectedIndex) });
  names.forEach((name, index) => node.append(make("option", { selected: index === chosen }, name)));
  return node;
}

function choice(label, names, chosen, onpick) {
  const buttons = names.map((name, index) =>
    make("button", { type: "button", "aria-pressed": String(index === chosen), onclick: () => pick(index) }, name));
  const pick = (index) => {
    buttons.forEach((button, n) => button.setAttribute("aria-pressed", String(n === index)));
    onpick(index);
  };
  return make("div", { class: "field" }, label, make("div", { class: "choice", role: "group", "aria-label": label }, ...buttons));
}

const signed = (value) => (value > 0 ? "+" : value < 0 ? "\u2212" : "\u00b1") + Math.abs(value).toFixed(2).replace(/\.?0+$/, "");

/* ---- light ---- */

const DECODED = Float32Array.from({ length: 256 }, (_, code) => {
  const v = code / 255;
  return v <= 0.04045 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4);
});
const STEPS = 8192;
const ENCODED = Uint8ClampedArray.from({ length: STEPS + 1 }, (_, step) => {
  const v = step / STEPS;
  return Math.round(255 * (v <= 0.0031308 ? 12.92 * v : 1.055 * Math.pow(v, 1 / 2.4) - 0.055));
});

async function codes(id) {
  const image = new Image();
  image.src = document.getElementById(id).textContent.trim();
  await image.decode();
  const canvas = make("canvas", { width: image.naturalWidth, height: image.naturalHeight });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, canvas.width, canvas.height).data;
}

async function readLight(light) {
  const [low, high] = await Promise.all(light.layers.map(codes));
  const [lowWhite, highWhite] = light.white, [from, to] = light.blend;
  const out = new Float32Array(3 * light.width * light.height);
  for (let i = 0, o = 0; i < low.length; i += 4, o += 3) {
    const peak = Math.max(low[i], low[i + 1], low[i + 2]) / 255;
    const weight = Math.min(1, Math.max(0, (peak - from) / (to - from)));
    for (let c = 0; c < 3; c++)
      out[o + c] = (1 - weight) * lowWhite * DECODED[low[i + c]] + weight * highWhite * DECODED[high[i + c]];
  }
  return { width: light.width, height: light.height, values: out, shown: null, ev: null };
}

/* A canvas that shows `picture` as a photo exposed `ev` stops more than the reference; kept until ev changes. */
function exposed(picture, ev) {
  if (picture.ev === ev) return picture.shown;
  const { width, height, values } = picture;
  picture.shown ??= make("canvas", { width, height });
  const context = picture.shown.getContext("2d");
  const data = context.createImageData(width, height);
  const gain = STEPS * Math.pow(2, ev);
  for (let i = 0, o = 0; i < values.length; i += 3, o += 4) {
    for (let c = 0; c < 3; c++) data.data[o + c] = ENCODED[Math.min(STEPS, (values[i + c] * gain + 0.5) | 0)];
    data.data[o + 3] = 255;
  }
  context.putImageData(data, 0, 0);
  picture.ev = ev;
  return picture.shown;
}

/* ---- maps: dark = no difference, yellow = large ---- */

const STOPS = [[8, 8, 24], [62, 16, 110], [160, 40, 110], [232, 96, 48], [252, 180, 40], [252, 250, 190]];
const PALETTE = Array.from({ length: 256 }, (_, code) => {
  const at = (code / 255) * (STOPS.length - 1), n = Math.min(STOPS.length - 2, Math.floor(at));
  return STOPS[n].map((value, c) => value + (at - n) * (STOPS[n + 1][c] - value));
});

async function drawMap(canvas, id) {
  const image = new Image();
  image.src = document.getElementById(id).textContent.trim();
  await image.decode();
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const data = context.getImageData(0, 0, canvas.width, canvas.height);
  for (let i = 0; i < data.data.length; i += 4) data.data.set(PALETTE[data.data[i]], i);
  context.putImageData(data, 0, 0);
}

function legend(from, to) {
  const canvas = make("canvas", { width: 256, height: 1, "aria-hidden": "true" });
  const context = canvas.getContext("2d");
  PALETTE.forEach((colour, x) => { context.fillStyle = `rgb(${colour.map(Math.round)})`; context.fillRect(x, 0, 1, 1); });
  return make("div", { class: "legend" }, from, canvas, to);
}

/* ---- the comparison ---- */

const ZOOMS = [1, 2, 4, 8];
const TALLEST = 66; // per cent of the window that a picture may take, so that its sliders stay in view

class Comparison {
  /* onpaint is called after every change of what is shown */
  constructor(root, onpaint = () => {}) {
    this.root = root;
    this.onpaint = onpaint;
    this.state = { a: 0, b: 1, ev: 0, split: 0.5, flip: false, showB: false, zoom: 1, x: 0.5, y: 0.5 };
    this.cache = new Map();
    this.canvas = make("canvas", { tabindex: "0", role: "img" });
    this.tagA = make("span", { class: "tag a" });
    this.tagB = make("span", { class: "tag b" });
    this.stage = make("div", { class: "stage" }, this.canvas, this.tagA, this.tagB);
    this.bars = make("div");
    this.sliders = make("div", { class: "bar" });
    this.maps = make("div", { class: "maps" });
    this.legends = make("div");
    root.replaceChildren(this.bars, this.stage, this.sliders, make("p", { class: "hint" },
      "Exposure 0 = as the reference photo was exposed. Drag in the picture to move the split; zoomed in, to move the picture. ",
      make("span", { class: "keys" }, "Keys on the picture: \u2190 \u2192 split, \u2191 \u2193 exposure, F flip, Z zoom.")),
      this.maps, this.legends);
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.canvas.addEventListener("pointerdown", (event) => this.drag(event));
    this.canvas.addEventListener("pointermove", (event) => this.move(event));
    new ResizeObserver(() => this.paint()).observe(this.stage);
  }

  /* scene: { name, top, full_error, pictures: [{ name, light, error, visible }] }; start: state to begin with */
  async show(scene, start = {}) {
    this.scene = scene;
    this.cache.clear();
    Object.assign(this.state, start);
    const last = scene.pictures.length - 1;
    this.state.a = Math.min(this.state.a, last);
    this.state.b = Math.min(this.state.b, last);
    this.controls();
    await this.refresh();
  }

  controls() {
    const { state, scene } = this;
    const names = scene.pictures.map((picture) => picture.label ?? picture.name);
    const pick = (which) => (index) => { state[which] = index; this.refresh(); };
    this.selectA = select(names, state.a, pick("a"));
    this.selectB = select(names, state.b, pick("b"));
    this.flipButton = make("button", { type: "button", onclick: () => this.flip() }, "Flip (F)");
    this.bars.replaceChildren(make("div", { class: "bar" },
      labelled("Picture A (left)", this.selectA),
      labelled("Picture B (right)", this.selectB),
      choice("Compare by", ["Split", "Flip"], state.flip ? 1 : 0, (n) => { state.flip = n === 1; this.paint(); }),
      choice("Zoom", ZOOMS.map((z) => z + "\u00d7"), ZOOMS.indexOf(state.zoom), (n) => { state.zoom = ZOOMS[n]; this.paint(); }),
      this.flipButton));
    const darkest = -Math.ceil(Math.log2(scene.top) + 2);
    this.evText = make("span", { class: "number" });
    this.evInput = make("input", { type: "range", min: darkest, max: 5, step: 0.25, value: state.ev,
      oninput: () => { state.ev = Number(this.evInput.value); this.paint(); } });
    this.splitInput = make("input", { type: "range", min: 0, max: 1, step: 0.005, value: state.split,
      oninput: () => { state.split = Number(this.splitInput.value); this.paint(); } });
    this.splitField = labelled("Split", this.splitInput, true);
    this.sliders.replaceChildren(labelled(make("span", {}, "Exposure ", this.evText), this.evInput, true), this.splitField);
  }

  async light(index) {
    if (!this.cache.has(index)) {
      if (this.cache.size > 5) this.cache.delete(this.cache.keys().next().value); // memory of a phone
      this.cache.set(index, readLight(this.scene.pictures[index].light));
    }
    return this.cache.get(index);
  }

  async refresh() {
    const { scene, state } = this;
    try {
      const [a, b] = await Promise.all([this.light(state.a), this.light(state.b)]);
      if (scene !== this.scene) return;
      [this.a, this.b] = [a, b];
      this.paint();
      await this.drawMaps();
    } catch (error) {
      if (error.name !== "EncodingError") throw error;
      this.maps.replaceChildren(make("p", { role: "alert" }, "This browser cannot decode the pictures in this page (WebP or AVIF); a newer one can."));
    }
  }

  paint() {
    if (!this.a || !this.b) return;
    const { state, canvas, a } = this;
    this.stage.style.maxWidth = `max(${(TALLEST * a.width) / a.height}vh, 300px)`;
    const width = Math.round(Math.min(1920, this.stage.clientWidth * (window.devicePixelRatio || 1)));
    const height = Math.round((width * a.height) / a.width);
    if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
    const context = canvas.getContext("2d");
    const size = 1 / state.zoom;
    state.x = Math.min(1 - size / 2, Math.max(size / 2, state.x));
    state.y = Math.min(1 - size / 2, Math.max(size / 2, state.y));
    context.imageSmoothingEnabled = state.zoom * width < 2.5 * a.width;
    const put = (picture, from, to) => {
      const shown = exposed(picture, state.ev);
      context.save();
      context.beginPath();
      context.rect(from, 0, to - from, height);
      context.clip();
      context.drawImage(shown, (state.x - size / 2) * picture.width, (state.y - size / 2) * picture.height,
        size * picture.width, size * picture.height, 0, 0, width, height);
      context.restore();
    };
    if (state.flip) put(state.showB ? this.b : this.a, 0, width);
    else {
      const x = Math.round(state.split * width);
      put(a, 0, x);
      put(this.b, x, width);
      context.fillStyle = "rgb(255 255 255 / .9)";
      context.fillRect(x - 1, 0, 2, height);
      context.beginPath();
      context.arc(x, height / 2, width / 70 + 5, 0, 7);
      context.fill();
    }
    this.tell();
    this.onpaint();
  }

  tell() {
    const { state, scene } = this;
    const name = (n) => scene.pictures[n].label ?? scene.pictures[n].name;
    this.stage.classList.toggle("flip", state.flip);
    this.stage.classList.toggle("zoomed", state.zoom > 1);
    this.tagA.textContent = "A: " + name(state.a);
    this.tagB.textContent = "B: " + name(state.b);
    this.tagA.hidden = state.flip && state.showB;
    this.tagB.hidden = state.flip && !state.showB;
    this.splitField.hidden = state.flip;
    this.flipButton.hidden = !state.flip;
    this.evText.textContent = signed(state.ev) + " EV";
    this.evInput.value = state.ev;
    this.evInput.setAttribute("aria-valuetext", signed(state.ev) + " EV");
    this.splitInput.value = state.split;
    this.canvas.setAttribute("aria-label", `${scene.name}: ${name(state.a)} on the left, ${name(state.b)} on the right, ` +
      `exposure ${signed(state.ev)} EV`);
  }

  flip() { this.state.showB = !this.state.showB; this.paint(); }

  key(event) {
    const { state } = this, step = event.shiftKey ? 0.1 : 0.02;
    const act = {
      ArrowLeft: () => { state.split = Math.max(0, state.split - step); },
      ArrowRight: () => { state.split = Math.min(1, state.split + step); },
      ArrowUp: () => { state.ev = Math.min(5, state.ev + 0.25); },
      ArrowDown: () => { state.ev = Math.max(Number(this.evInput.min), state.ev - 0.25); },
      f: () => { if (state.flip) state.showB = !state.showB; else { state.flip = true; this.controls(); } },
      z: () => { state.zoom = ZOOMS[(ZOOMS.indexOf(state.zoom) + 1) % ZOOMS.length]; this.controls(); },
    }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    act();
    event.preventDefault();
    this.paint();
  }

  drag(event) {
    const { state } = this;
    if (event.button !== 0) return;
    if (state.flip && state.zoom === 1) { this.flip(); return; }
    const at = event.offsetX / this.canvas.clientWidth;
    this.grip = state.zoom === 1 || (!state.flip && Math.abs(at - state.split) < 0.04) ? "split" : "pan";
    this.canvas.setPointerCapture(event.pointerId);
    this.move(event);
  }

  move(event) {
    const { state, canvas } = this;
    if (!(event.buttons & 1) || !this.grip || (state.flip && state.zoom === 1)) return;
    if (this.grip === "split") state.split = Math.min(1, Math.max(0, event.offsetX / canvas.clientWidth));
    else {
      state.x -= event.movementX / canvas.clientWidth / state.zoom;
      state.y -= event.movementY / canvas.clientHeight / state.zoom;
    }
    this.paint();
  }

  async drawMaps() {
    const { scene, state } = this, jobs = [], figures = [];
    for (const [letter, index] of [["A", state.a], ["B", state.b]]) {
      const picture = scene.pictures[index];
      for (const [kind, text] of [["error", "error"], ["visible", "visible difference"]]) {
        if (!picture[kind]) continue;
        const canvas = make("canvas", { role: "img", "aria-label": `${text} of ${picture.name}` });
        jobs.push(drawMap(canvas, picture[kind]));
        figures.push(make("figure", {}, make("figcaption", {}, `${letter}: ${picture.name}, ${text}`), canvas));
      }
    }
    await Promise.all(jobs);
    if (scene !== this.scene) return;
    this.maps.replaceChildren(...figures);
    const seen = scene.pictures.some((picture) => picture.visible);
    this.legends.replaceChildren(
      scene.pictures.some((picture) => picture.error) ? legend("Error: none", `${scene.full_error} or more`) : "",
      seen ? legend("Visible difference: nobody sees it", "everybody sees it (HDR-VDP)") : "");
  }
}
