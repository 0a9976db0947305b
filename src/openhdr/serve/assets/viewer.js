// The viewer: the picture on the canvas, and what has to be asked for to draw it.

import { ask, send } from './api.js';
import { byId } from './dom.js';
import { autoExposure, beginExposure } from './exposure.js';
import { beginPointer } from './pointer.js';
import { act, jobOf, onChange, selected } from './state.js';
import { Tiles } from './tiles.js';
import { beginToolbar } from './toolbar.js';
import { drawNow, layerNow, onDraw, place, redraw, shown, view } from './view.js';

const canvas = /** @type {HTMLCanvasElement} */ (byId('canvas'));
const stage = byId('stage');
/** @type {any} */
let renderer;
/** @type {Tiles} */
let tiles;

/** @typedef {import('./view.js').Place} Place */
/** @typedef {import('./state.js').Result} Result */
/** @typedef {import('./webgl.js').Pass} Pass */

/** @param {number} frame @param {boolean} matched */
function frameLayer(frame, matched) {
  return `${matched ? 'matched' : 'frame'}-${frame}`;
}

/**
 * @param {Result} result @param {string} layer @param {number} frame
 * @param {number[] | null} scissor @param {Place} at @param {boolean} [matched] @returns {Pass}
 */
function pass(result, layer, frame, scissor, at, matched = view.matched) {
  const gain = 2 ** view.exposure;
  const size = { width: canvas.width, height: canvas.height };
  if (layer === 'light' && result.light) {
    return { scissor, kind: 'light', look: view.look, gain, quads: tiles.quads(result.id, 'light', result.light, at, size) };
  }
  if (layer === 'frame') {
    const name = frameLayer(frame, matched);
    const sizes = result.frame_layers?.[name];
    if (!sizes) return { scissor, kind: 'codes', look: 'plain', gain: 0, quads: [] };
    const quads = tiles.quads(result.id, name, sizes, at, size);
    const own = matched ? gain * 2 ** -(result.frames[frame]?.ev ?? 0) : 0;
    return { scissor, kind: 'codes', look: view.look, gain: own || (view.look === 'plain' ? 0 : 1), quads };
  }
  const quads = result.tone ? tiles.quads(result.id, result.tone.name, result.tone.sizes, at, size) : [];
  return { scissor, kind: 'codes', look: view.look, gain: view.look === 'plain' ? 0 : 1, quads };
}

/** @param {Place} at */
function draw(at) {
  const result = shown();
  /** @type {Pass[]} */
  const passes = [];
  tiles.begin();
  drawPhoto(at);
  if (result) {
    const cut = Math.round(view.splitAt * canvas.width);
    const rest = view.split ? [cut, 0, canvas.width - cut, canvas.height] : null;
    passes.push(pass(result, layerNow(), view.frame, rest, at));
    if (view.split) passes.push(pass(result, view.against < 0 ? 'tone' : 'frame', Math.max(view.against, 0), [0, 0, cut, canvas.height], at));
    if (view.mask >= 0 && result.masks[view.mask]) {
      const quads = tiles.quads(result.id, `mask-${view.mask}`, result.masks[view.mask], at, canvas);
      passes.push({ scissor: rest, kind: 'mask', look: 'plain', gain: 1, quads });
    }
  }
  renderer.draw(passes);
  tiles.end();
}

const copied = { key: '', image: new OffscreenCanvas(1, 1) };

/**
 * A source frame at the brightness and place of the view, the size of the canvas; null while it is being fetched.
 * @param {number} frame @param {Place} at @returns {CanvasImageSource | null}
 */
export function pictureOf(frame, at) {
  const result = shown();
  needFrame(frame, true);
  if (!result?.frame_layers?.[frameLayer(frame, true)]) return null;
  const key = JSON.stringify([result.id, frame, at, canvas.width, canvas.height, view.exposure, tiles.arrivals]);
  if (key === copied.key) return copied.image;
  copied.key = key;
  Object.assign(copied.image, { width: canvas.width, height: canvas.height });
  renderer.draw([pass(result, 'frame', frame, null, at, true)]);
  tiles.end();
  copied.image.getContext('2d')?.drawImage(canvas, 0, 0);
  draw(at);
  return copied.image;
}

// the result as a photo with a gain map: HDR where no canvas is

const photo = { shown: '', asked: '' };

/** @param {Place} at */
function drawPhoto(at) {
  const image = byId('photo');
  image.hidden = layerNow() !== 'photo' || photo.shown !== shown()?.photo;
  const scale = canvas.width / Math.max(stage.clientWidth, 1);
  Object.assign(image.style, { left: `${at.x / scale}px`, top: `${at.y / scale}px`, width: `${at.width / scale}px`, height: `${at.height / scale}px` });
}

/** @param {import('./state.js').Picture} picture @param {Result} result */
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

// layers that are looked at and not there

/** @type {Set<string>} */
const asked = new Set();

/** Ask the server for something of what is shown, once. @param {string} path @param {string} name */
function askFor(path, name) {
  const key = `${shown()?.id} ${name}`;
  if (asked.has(key)) return;
  asked.add(key);
  act(send(`/api/pictures/${selected()?.id}/${path}`, 'POST'));
}

/** @param {number} frame @param {boolean} [matched] */
function needFrame(frame, matched = view.matched) {
  const result = shown();
  const name = frameLayer(frame, matched);
  if (result && frame < result.frames.length && !result.frame_layers?.[name]) askFor(`frames/${frame}?matched=${Number(matched)}`, name);
}

function need() {
  const picture = selected();
  const result = shown();
  if (!picture || !result) return;
  if (view.layer === 'frame') needFrame(view.frame);
  if (view.split && view.against >= 0) needFrame(view.against);
  if (view.layer === 'photo' && result.light) needPhoto(picture, result);
  const { tone } = result;
  if (!(view.layer === 'tone' || (view.split && view.against < 0)) || !result.light) return;
  if (!tone) askFor('tone?proxy=1', 'tone');
  else if (tone.proxy && place().width > 1.2 * tone.sizes[0][0]) askFor('tone', tone.name); // single pixels are looked at
}

const before = { picture: '', result: '' };
function follow() {
  const picture = selected();
  const result = shown();
  if (picture && picture.id !== before.picture) {
    Object.assign(view, { width: 0, x: 0.5, y: 0.5, mask: -1, frame: 0, layer: 'tone', against: 0 });
    Object.assign(before, { picture: picture.id, result: '' });
  }
  if (result && !before.result) autoExposure();
  before.result = result?.id ?? '';
  byId('empty').hidden = Boolean(picture);
  const job = picture ? jobOf(picture.id) : undefined;
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
  badge.textContent = `First look: small, ghosts not removed${picture?.command === 'merge' ? `, response ${result?.response}` : ''}`;
  need();
  redraw();
}

/** @param {any} made the renderer */
export function beginViewer(made) {
  renderer = made;
  tiles = new Tiles(renderer, redraw);
  onDraw(draw);
  const fitting = new ResizeObserver(() => {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.max(Math.round(stage.clientWidth * ratio), 1);
    canvas.height = Math.max(Math.round(stage.clientHeight * ratio), 1);
    drawNow(); // a canvas that changes its size is empty
  });
  fitting.observe(stage);
  beginPointer();
  beginExposure();
  beginToolbar();
  onChange(follow);
}
