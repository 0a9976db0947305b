// The viewer: what is shown, where, and how bright; pointer and keys.

import { ask, get, send } from './api.js';
import { byId, ev, make, renew } from './dom.js';
import { clippedShares, drawHistogram } from './histogram.js';
import { act, changed, jobOf, onChange, selected } from './state.js';
import { Tiles } from './tiles.js';

/**
 * What this tab looks at. layer: light, tone, frame or photo (an HDR picture that the browser shows by itself). width: of the whole picture on the canvas, in its pixels; 0 = it
 * fits. x, y: the part of the picture at the middle, 0..1. against: what is left of the split: a frame, or -1 = the tones.
 */
export const view = {
  layer: 'light', frame: 0, look: 'plain', mask: -1, split: false, splitAt: 0.5, against: 0,
  exposure: 0, matched: true, width: 0, x: 0.5, y: 0.5,
};

const canvas = /** @type {HTMLCanvasElement} */ (byId('canvas'));
const stage = byId('stage');
/** @type {any} */
let renderer;
/** @type {Tiles} */
let tiles;
let dirty = true;
/** @type {((place: Place) => void)[]} */
const painters = [];

/** @typedef {{ x: number, y: number, width: number, height: number }} Place */

/** Draw again at the next frame. */
export function redraw() {
  if (dirty) return;
  dirty = true;
  requestAnimationFrame(draw);
}

/** @param {(place: Place) => void} painter draws on top of the picture */
export function onDraw(painter) {
  painters.push(painter);
}

/** @returns {import('./state.js').Result | null} */
export function shown() {
  return selected()?.result ?? null;
}

/** Where the whole picture lies on the canvas. @returns {Place} */
export function place() {
  const result = shown();
  const ratio = result ? result.height / result.width : 1;
  const fit = Math.min(canvas.width, canvas.height / ratio);
  const width = view.width || fit;
  const middle = view.width ? [view.x, view.y] : [0.5, 0.5];
  return { x: canvas.width / 2 - middle[0] * width, y: canvas.height / 2 - middle[1] * width * ratio, width, height: width * ratio };
}

/** The part of the picture under the pointer, 0..1. @param {{ clientX: number, clientY: number }} event */
export function under(event) {
  const box = canvas.getBoundingClientRect();
  const at = place();
  const scale = canvas.width / box.width;
  return { x: ((event.clientX - box.left) * scale - at.x) / at.width, y: ((event.clientY - box.top) * scale - at.y) / at.height };
}

/** @returns {string} what is really shown: a picture for a screen has no light, tones may not be there yet */
function layerNow() {
  const result = shown();
  if (view.layer === 'photo' && photo.shown && photo.shown === result?.photo) return 'photo';
  if (!result) return 'light';
  if (view.layer === 'tone' && result.tone) return 'tone';
  return result.light ? view.layer === 'frame' ? 'frame' : 'light' : view.layer === 'frame' ? 'frame' : 'tone';
}

/**
 * @param {import('./state.js').Result} result @param {string} layer @param {number} frame
 * @param {number[] | null} scissor @param {Place} at @returns {import('./webgl.js').Pass}
 */
function pass(result, layer, frame, scissor, at) {
  const gain = 2 ** view.exposure;
  const size = { width: canvas.width, height: canvas.height };
  if (layer === 'light' && result.light) {
    return { scissor, kind: 'light', look: view.look, gain, quads: tiles.quads(result.id, 'light', result.light, at, size) };
  }
  if (layer === 'frame') {
    const sizes = result.frame_layers?.[frame];
    if (!sizes) return { scissor, kind: 'codes', look: 'plain', gain: 0, quads: [] };
    const quads = tiles.quads(result.id, `frame-${frame}`, sizes, at, size);
    const own = view.matched ? gain * 2 ** -(result.frames[frame]?.ev ?? 0) : 0;
    return { scissor, kind: 'codes', look: view.look, gain: own || (view.look === 'plain' ? 0 : 1), quads };
  }
  const quads = result.tone ? tiles.quads(result.id, result.tone.name, result.tone.sizes, at, size) : [];
  return { scissor, kind: 'codes', look: view.look, gain: view.look === 'plain' ? 0 : 1, quads };
}

function draw() {
  dirty = false;
  const result = shown();
  /** @type {import('./webgl.js').Pass[]} */
  const passes = [];
  const at = place();
  tiles.begin();
  drawPhoto(at);
  if (result) {
    const layer = layerNow();
    const cut = Math.round(view.splitAt * canvas.width);
    const rest = view.split ? [cut, 0, canvas.width - cut, canvas.height] : null;
    passes.push(pass(result, layer, view.frame, rest, at));
    if (view.split) passes.push(pass(result, view.against < 0 ? 'tone' : 'frame', Math.max(view.against, 0), [0, 0, cut, canvas.height], at));
    if (view.mask >= 0 && result.masks[view.mask]) {
      const quads = tiles.quads(result.id, `mask-${view.mask}`, result.masks[view.mask], at, canvas);
      passes.push({ scissor: rest, kind: 'mask', look: 'plain', gain: 1, quads });
    }
  }
  renderer.draw(passes);
  tiles.end();
  for (const painter of painters) painter(at);
}

// the result as a photo with a gain map: HDR where no canvas is

const photo = { shown: '', asked: '' };

/** @param {Place} at */
function drawPhoto(at) {
  const image = byId('photo');
  image.hidden = layerNow() !== 'photo';
  const scale = canvas.width / Math.max(stage.clientWidth, 1);
  Object.assign(image.style, { left: `${at.x / scale}px`, top: `${at.y / scale}px`, width: `${at.width / scale}px`, height: `${at.height / scale}px` });
}

/** @param {import('./state.js').Picture} picture @param {import('./state.js').Result} result */
async function needPhoto(picture, result) {
  if (result.photo && result.photo !== photo.shown) {
    photo.shown = result.photo;
    const blob = await (await ask(`/api/results/${result.id}/photo`)).blob();
    const image = byId('photo');
    URL.revokeObjectURL(image.src);
    image.src = URL.createObjectURL(blob);
    await image.decode().catch(() => {});
    redraw();
  } else if (photo.asked !== result.id + JSON.stringify(picture.tone)) {
    photo.asked = result.id + JSON.stringify(picture.tone);
    act(send(`/api/pictures/${picture.id}/photo`, 'POST'));
  }
}

// zoom, pan, exposure

/** @param {number} factor @param {{ clientX: number, clientY: number } | null} event what stays where it is */
export function zoom(factor, event = null) {
  const result = shown();
  if (!result) return;
  const box = canvas.getBoundingClientRect();
  const fixed = event ?? { clientX: box.left + box.width / 2, clientY: box.top + box.height / 2 };
  const before = under(fixed);
  const at = place();
  const fit = Math.min(canvas.width, (canvas.height / result.height) * result.width);
  const width = Math.min(Math.max(at.width * factor, fit * 0.5), result.width * 32);
  if (!view.width) Object.assign(view, { x: 0.5, y: 0.5 });
  view.width = Math.abs(width / fit - 1) < 0.02 ? 0 : width;
  const after = under(fixed);
  if (view.width) move(before.x - after.x, before.y - after.y);
  limits();
}

/** @param {number} percent 0 = fit, 100 = one pixel of the picture is one of the screen */
export function zoomTo(percent) {
  const result = shown();
  if (!result) return;
  if (!percent) view.width = 0;
  else zoom((result.width * percent) / 100 / place().width);
  limits();
}

/** @param {number} dx @param {number} dy parts of the picture */
function move(dx, dy) {
  if (!view.width) return;
  view.x = Math.min(Math.max(view.x + dx, 0), 1);
  view.y = Math.min(Math.max(view.y + dy, 0), 1);
}

function limits() {
  const result = shown();
  if (result) byId('zoom').textContent = view.width ? `${Math.round((100 * place().width) / result.width)} %` : 'Fit';
  redraw();
}

/** @param {number} stops */
export function setExposure(stops) {
  view.exposure = Math.min(Math.max(Math.round(stops * 20) / 20, -20), 20);
  byId('exposure').value = view.exposure;
  byId('exposure-value').textContent = `${ev(view.exposure)} EV`;
  told();
  redraw();
}

/** Brightness from the histogram: the median at a middle tone, but no more than a hundredth over white. */
export function autoExposure() {
  const histogram = shown()?.histogram;
  if (!histogram) return;
  const green = histogram.counts[1];
  const all = green.reduce((sum, one) => sum + one, 0);
  const at = (/** @type {number} */ share) => {
    let sum = 0;
    const bin = green.findIndex((one) => (sum += one) >= share * all);
    return histogram.low + ((bin + 0.5) * (histogram.high - histogram.low)) / green.length;
  };
  setExposure(Math.min(Math.log2(0.18) - at(0.5), Math.max(-at(0.97), Math.log2(0.09) - at(0.5))));
}

function told() {
  const result = shown();
  const light = result?.histogram && layerNow() === 'light';
  byId('histogram').style.visibility = result?.histogram ? 'visible' : 'hidden';
  if (result?.histogram) drawHistogram(byId('histogram'), result.histogram, view.exposure);
  const shares = result?.histogram ? clippedShares(result.histogram, view.exposure) : null;
  byId('clipping').textContent = light && shares
    ? `${(100 * shares.over).toFixed(1)} % over white, ${(100 * shares.under).toFixed(1)} % black · ${result.stops?.toFixed(1)} stops, peak ${result.peak?.toPrecision(3)}`
    : '';
}

// the probe

let asking = false;
/** @type {{ clientX: number, clientY: number } | null} */
let last = null;
/** @param {{ clientX: number, clientY: number }} event */
async function probe(event) {
  last = event;
  if (asking) return;
  asking = true;
  while (last) {
    const at = under(last);
    last = null;
    const result = shown();
    if (!result || at.x < 0 || at.x > 1 || at.y < 0 || at.y > 1) break;
    try {
      const found = await get(`/api/results/${result.id}/probe?x=${at.x}&y=${at.y}`);
      byId('probe').textContent = said(result, at, found);
    } catch {
      break; // the result was replaced
    }
    await new Promise((done) => setTimeout(done, 40));
  }
  asking = false;
}

/**
 * @param {import('./state.js').Result} result @param {{ x: number, y: number }} at @param {Object<string, number[]>} found
 */
function said(result, at, found) {
  const where = `x ${Math.floor(at.x * result.width)} y ${Math.floor(at.y * result.height)}`;
  const parts = [where];
  if (found.light) {
    const [r, g, b] = found.light;
    const luminance = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    parts.push(`R ${r.toPrecision(4)}  G ${g.toPrecision(4)}  B ${b.toPrecision(4)}`);
    parts.push(luminance > 0 ? `${ev(Math.log2(luminance))} stops` : 'black');
  } else if (found.tone) {
    parts.push(`RGB ${found.tone.join(' ')}`);
  }
  const used = result.frames.map((frame, index) => [frame, found[`mask-${index}`]?.[0]]);
  if (used.length > 1) parts.push(`used ${used.map(([, one], index) => `${index + 1}: ${one === undefined ? '–' : Math.round(/** @type {number} */ (one) / 2.55)}`).join('  ')} %`);
  return parts.join('   ');
}

// pointer and keys

/** @type {Map<number, { clientX: number, clientY: number }>} */
const pointers = new Map();
/** @type {{ down: (event: PointerEvent) => boolean, move: (event: PointerEvent) => void, up: (event: PointerEvent) => void } | null} */
let tool = null;
/** @param {typeof tool} next takes the pointer instead of moving the picture; null = none does */
export function setTool(next) {
  tool = next;
  stage.classList.toggle('painting', next !== null);
}
let toolActive = false;

function listenToPointer() {
  stage.addEventListener('pointerdown', (/** @type {PointerEvent} */ event) => {
    if (event.target instanceof Element && event.target.closest('button, #divider')) return;
    stage.focus({ preventScroll: true });
    stage.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, event);
    toolActive = pointers.size === 1 && event.button === 0 && !event.altKey && Boolean(tool?.down(event));
  });
  stage.addEventListener('pointermove', (/** @type {PointerEvent} */ event) => {
    probe(event);
    const before = pointers.get(event.pointerId);
    if (toolActive && pointers.size === 1) tool?.move(event);
    else if (before) drag(event, before);
    else tool?.move(event);
    if (before) pointers.set(event.pointerId, event);
  });
  for (const name of ['pointerup', 'pointercancel']) {
    stage.addEventListener(name, (/** @type {PointerEvent} */ event) => {
      if (toolActive) tool?.up(event);
      toolActive = false;
      pointers.delete(event.pointerId);
    });
  }
  stage.addEventListener('wheel', (/** @type {WheelEvent} */ event) => {
    event.preventDefault();
    const turn = event.deltaY || event.deltaX;
    if (event.shiftKey) setExposure(view.exposure - Math.sign(turn) / 4);
    else zoom(2 ** (-turn / (event.ctrlKey ? 120 : 300)), event);
  }, { passive: false });
  stage.addEventListener('dblclick', (/** @type {MouseEvent} */ event) => {
    if (tool) return;
    if (view.width) zoomTo(0);
    else {
      const result = shown();
      if (result) zoom(result.width / place().width, event);
    }
  });
}

/** @param {PointerEvent} event @param {{ clientX: number, clientY: number }} before */
function drag(event, before) {
  const at = place();
  const scale = canvas.width / canvas.getBoundingClientRect().width;
  const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
  if (other) {
    const distance = (/** @type {{ clientX: number, clientY: number }} */ one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
    zoom(distance(event) / Math.max(distance(before), 1), other);
    return;
  }
  move((-(event.clientX - before.clientX) * scale) / at.width, (-(event.clientY - before.clientY) * scale) / at.height);
  redraw();
}

/** @type {Object<string, () => void>} */
const KEYS = {
  '+': () => zoom(1.5), '=': () => zoom(1.5), '-': () => zoom(1 / 1.5), 0: () => zoomTo(0), 1: () => zoomTo(100), 2: () => zoomTo(200),
  e: () => setExposure(view.exposure + 0.5), d: () => setExposure(view.exposure - 0.5), r: () => setExposure(0), a: autoExposure,
  h: () => show('light'), t: () => show('tone'), s: () => toggle('split'), f: () => look('stops'), c: () => look('clipping'),
  m: () => nextMask(),
  ArrowLeft: () => pan(-0.1, 0), ArrowRight: () => pan(0.1, 0), ArrowUp: () => pan(0, -0.1), ArrowDown: () => pan(0, 0.1),
};

/** @param {number} dx @param {number} dy shares of what is seen */
function pan(dx, dy) {
  const at = place();
  move((dx * canvas.width) / at.width, (dy * canvas.height) / at.height);
  redraw();
}

/** @param {KeyboardEvent} event @returns {boolean} whether it was for the viewer */
export function key(event) {
  const action = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action || event.ctrlKey || event.metaKey || event.altKey) return false;
  if (event.key.startsWith('Arrow') && document.activeElement !== stage) return false;
  action();
  return true;
}

// what is shown

/** @param {string} layer @param {number} [frame] */
export function show(layer, frame = 0) {
  view.layer = layer;
  view.frame = frame;
  need();
  changed();
}

/** @param {string} name */
export function look(name) {
  view.look = view.look === name ? 'plain' : name;
  changed();
}

/** @param {'split'} name */
function toggle(name) {
  view[name] = !view[name];
  need();
  changed();
}

function nextMask() {
  const count = shown()?.masks.length ?? 0;
  view.mask = view.mask + 1 >= count ? -1 : view.mask + 1;
  changed();
}

/** @type {Set<string>} */
const asked = new Set();
/** Ask the server for the layers that are looked at and not there. */
function need() {
  const picture = selected();
  const result = shown();
  if (!picture || !result) return;
  const frames = [...(view.layer === 'frame' ? [view.frame] : []), ...(view.split && view.against >= 0 ? [view.against] : [])];
  for (const frame of frames) {
    const name = `${result.id} ${frame}`;
    if (result.frame_layers?.[frame] || asked.has(name) || frame >= result.frames.length) continue;
    asked.add(name);
    act(send(`/api/pictures/${picture.id}/frames/${frame}`, 'POST'));
  }
  const tones = view.layer === 'tone' || (view.split && view.against < 0);
  if (tones && !result.tone && result.light && !asked.has(`${result.id} tone`)) {
    asked.add(`${result.id} tone`);
    act(send(`/api/pictures/${picture.id}/tone?proxy=1`, 'POST'));
  }
  if (view.layer === 'photo' && result.light) needPhoto(picture, result);
  // the whole picture is tone-mapped when single pixels are looked at
  const tone = result.tone;
  if (tones && tone?.proxy && place().width > 1.2 * tone.sizes[0][0] && !asked.has(`${result.id} ${tone.name}`)) {
    asked.add(`${result.id} ${tone.name}`);
    act(send(`/api/pictures/${picture.id}/tone`, 'POST'));
  }
}

function toolbar() {
  const result = shown();
  const names = result?.frames.map((one) => one.name) ?? [];
  const bar = byId('toolbar');
  renew(bar, [view.layer, view.frame, view.look, view.mask, view.split, view.against, view.matched, names, result?.light !== null, result?.masks.length], () => {
    /** @type {(label: string, pressed: boolean, action: () => void, title: string) => Node} */
    const button = (label, pressed, action, title) => make('button', { 'aria-pressed': String(pressed), title, onclick: action }, label);
    /** @type {(label: string, value: number, options: [number, string][], chosen: (value: number) => void) => Node} */
    const choose = (label, value, options, chosen) => make('select', { 'aria-label': label, title: label, onchange: (/** @type {any} */ event) => chosen(Number(event.target.value)) },
      ...options.map(([one, text]) => make('option', { value: one, selected: one === value }, text)));
    const frames = /** @type {[number, string][]} */ (names.map((name, index) => [index, `${index + 1} ${name}`]));
    return [
      make('div.choice', { role: 'group', 'aria-label': 'What is shown' },
        button('Light', view.layer === 'light', () => show('light'), 'The HDR light at an exposure (H)'),
        button('Tones', view.layer === 'tone', () => show('tone'), 'The picture for any screen (T)'),
        button('HDR photo', view.layer === 'photo', () => show('photo'), 'The exported photo with a gain map: HDR on HDR screens'),
        button('Sources', view.layer === 'frame', () => show('frame', view.frame), 'The source photos, moved into place')),
      view.layer === 'frame' ? choose('Photo', view.frame, frames, (value) => show('frame', value)) : null,
      view.layer === 'frame' ? button('Matched', view.matched, () => { view.matched = !view.matched; changed(); }, 'Brightness matched to the result, or as shot') : null,
      button('Split', view.split, () => toggle('split'), 'Before and after, side by side (S)'),
      view.split ? choose('Left of the split', view.against, [...frames, [-1, 'Tone-mapped']], (value) => { view.against = value; need(); changed(); }) : null,
      button('Stops', view.look === 'stops', () => look('stops'), 'False colour: brightness in stops (F)'),
      button('Clipping', view.look === 'clipping', () => look('clipping'), 'Mark what is over white or black (C)'),
      (result?.masks.length ?? 0) > 1 ? choose('Ghost mask: red = left out', view.mask, [[-1, 'No mask'], ...frames.map(([index, name]) => /** @type {[number, string]} */ ([index, `Mask ${name}`]))], (value) => { view.mask = value; changed(); }) : null,
      make('span.grow', {}),
      make('div.choice', { role: 'group', 'aria-label': 'Size' },
        make('button', { title: 'Smaller (−)', onclick: () => zoom(1 / 1.5) }, '−'),
        make('button', { id: 'zoom', title: 'Fit, or one to one (0, 1)', onclick: () => zoomTo(view.width ? 0 : 100) }, 'Fit'),
        make('button', { title: 'Larger (+)', onclick: () => zoom(1.5) }, '+')),
    ];
  });
  limits();
}

function divider() {
  const line = byId('divider');
  line.hidden = !view.split || !shown();
  line.style.left = `${100 * view.splitAt}%`;
  line.setAttribute('aria-valuenow', String(Math.round(100 * view.splitAt)));
}

function listenToDivider() {
  const line = byId('divider');
  const to = (/** @type {number} */ share) => {
    view.splitAt = Math.min(Math.max(share, 0), 1);
    divider();
    redraw();
  };
  line.addEventListener('pointerdown', (/** @type {PointerEvent} */ event) => line.setPointerCapture(event.pointerId));
  line.addEventListener('pointermove', (/** @type {PointerEvent} */ event) => {
    if (!line.hasPointerCapture(event.pointerId)) return;
    const box = canvas.getBoundingClientRect();
    to((event.clientX - box.left) / box.width);
  });
  line.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowLeft: -0.02, ArrowRight: 0.02 }[event.key];
    if (step) to(view.splitAt + step);
  });
}

function legend() {
  const place = byId('legend');
  place.hidden = view.look !== 'stops' || !shown();
  renew(place, 'stops', () => {
    const bands = [];
    for (let stop = 6; stop >= -12; stop -= 2) {
      const band = make('i', {});
      band.style.background = `hsl(${(360 * 0.72 * (6 - stop)) / 18} 85% 50%)`;
      bands.push(make('span', {}, band, `${stop > 0 ? '+' : ''}${stop}`));
    }
    return bands;
  });
}

let before = '';
function follow() {
  const picture = selected();
  const result = shown();
  const job = picture ? jobOf(picture.id) : undefined;
  if (picture && picture.id !== before) {
    before = picture.id;
    Object.assign(view, { width: 0, x: 0.5, y: 0.5, mask: -1, frame: 0, layer: 'light', against: 0 });
  }
  byId('empty').hidden = Boolean(picture);
  const busy = byId('busy');
  const working = job && ['merge', 'expand', 'open', 'first look'].some((one) => job.label.endsWith(one));
  busy.hidden = !working;
  busy.classList.toggle('over', Boolean(result));
  if (working) {
    busy.querySelector('i').style.width = `${job.percent}%`;
    busy.querySelector('p').textContent = job.state === 'waiting' ? 'Waiting for other work' : job.step || 'Starting';
    byId('stop').onclick = () => act(send(`/api/jobs/${job.id}`, 'DELETE'));
  }
  const badge = byId('badge');
  badge.hidden = !result?.draft;
  badge.textContent = 'First look: small, ghosts not removed';
  need();
  toolbar();
  divider();
  legend();
  told();
  redraw();
}

/** @param {any} made the renderer */
export function beginViewer(made) {
  renderer = made;
  tiles = new Tiles(renderer, redraw);
  const fitting = new ResizeObserver(() => {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.max(Math.round(stage.clientWidth * ratio), 1);
    canvas.height = Math.max(Math.round(stage.clientHeight * ratio), 1);
    dirty = false;
    limits();
  });
  fitting.observe(stage);
  listenToPointer();
  listenToDivider();
  byId('exposure').addEventListener('input', (/** @type {any} */ event) => setExposure(Number(event.target.value)));
  byId('exposure-auto').addEventListener('click', autoExposure);
  byId('exposure-zero').addEventListener('click', () => setExposure(0));
  onChange(follow);
  dirty = false;
  setExposure(0);
}
