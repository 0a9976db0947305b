// What is shown is chosen here: buttons over the picture, and keys.

import { byId, make, renew } from './dom.js';
import { setExposure } from './exposure.js';
import { changed, onChange } from './state.js';
import { onDraw, pan, place, shown, view, zoom, zoomTo } from './view.js';

/** @param {string} layer @param {number} [frame] */
export function show(layer, frame = 0) {
  view.layer = layer;
  view.frame = frame;
  changed();
}

/** @param {string} name */
function look(name) {
  view.look = view.look === name ? 'plain' : name;
  changed();
}

function split() {
  view.split = !view.split;
  changed();
}

function nextMask() {
  const count = shown()?.masks.length ?? 0;
  view.mask = view.mask + 1 >= count ? -1 : view.mask + 1;
  changed();
}

/** @type {Object<string, () => void>} */
const KEYS = {
  '+': () => zoom(1.5), '=': () => zoom(1.5), '-': () => zoom(1 / 1.5), 0: () => zoomTo(0), 1: () => zoomTo(100), 2: () => zoomTo(200),
  e: () => setExposure(view.exposure + 0.5), d: () => setExposure(view.exposure - 0.5), r: () => setExposure(0),
  a: () => byId('exposure-auto').click(),
  h: () => show('light'), t: () => show('tone'), s: split, f: () => look('stops'), c: () => look('clipping'), m: nextMask,
  ArrowLeft: () => pan(-0.1, 0), ArrowRight: () => pan(0.1, 0), ArrowUp: () => pan(0, -0.1), ArrowDown: () => pan(0, 0.1),
};

/** @param {KeyboardEvent} event @returns {boolean} whether it was for the viewer */
export function key(event) {
  const action = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action || event.ctrlKey || event.metaKey || event.altKey) return false;
  if (event.key.startsWith('Arrow') && document.activeElement !== byId('stage')) return false;
  action();
  return true;
}

/** @param {string} label @param {boolean} pressed @param {() => void} action @param {string} title */
function button(label, pressed, action, title) {
  return make('button', { 'aria-pressed': String(pressed), title, onclick: action }, label);
}

/**
 * @param {string} label @param {number} value @param {[number, string][]} options @param {(value: number) => void} chosen
 */
function choose(label, value, options, chosen) {
  const pick = (/** @type {any} */ event) => {
    chosen(Number(event.target.value));
    changed();
  };
  return make('select', { 'aria-label': label, title: label, onchange: pick },
    ...options.map(([one, text]) => make('option', { value: one, selected: one === value }, text)));
}

function toolbar() {
  const result = shown();
  const names = result?.frames.map((one) => one.name) ?? [];
  const frames = /** @type {[number, string][]} */ (names.map((name, index) => [index, `${index + 1} ${name}`]));
  const masks = /** @type {[number, string][]} */ (names.map((name, index) => [index, `Mask ${index + 1} ${name}`]));
  renew(byId('toolbar'), [view.layer, view.frame, view.look, view.mask, view.split, view.against, view.matched, names, result?.light !== null, result?.masks.length], () => [
    make('div.choice', { role: 'group', 'aria-label': 'What is shown' },
      button('Light', view.layer === 'light', () => show('light'), 'The HDR light at an exposure (H)'),
      button('Tones', view.layer === 'tone', () => show('tone'), 'The picture for any screen (T)'),
      button('HDR photo', view.layer === 'photo', () => show('photo'), 'The exported photo with a gain map: HDR on HDR screens'),
      button('Sources', view.layer === 'frame', () => show('frame', view.frame), 'The source photos, moved into place')),
    view.layer === 'frame' ? choose('Photo', view.frame, frames, (value) => { view.frame = value; }) : null,
    view.layer === 'frame' ? button('Matched', view.matched, () => { view.matched = !view.matched; changed(); }, 'Brightness matched to the result, or as shot') : null,
    button('Split', view.split, split, 'Before and after, side by side (S)'),
    view.split ? choose('Left of the split', view.against, [...frames, [-1, 'Tone-mapped']], (value) => { view.against = value; }) : null,
    button('Stops', view.look === 'stops', () => look('stops'), 'False colour: brightness in stops (F)'),
    button('Clipping', view.look === 'clipping', () => look('clipping'), 'Mark what is over white or black (C)'),
    (result?.masks.length ?? 0) > 1 ? choose('Ghost mask: red = left out', view.mask, [[-1, 'No mask'], ...masks], (value) => { view.mask = value; }) : null,
    make('span.grow', {}),
    make('div.choice', { role: 'group', 'aria-label': 'Size' },
      make('button', { title: 'Smaller (−)', onclick: () => zoom(1 / 1.5) }, '−'),
      make('button', { id: 'zoom', title: 'Fit, or one to one (0, 1)', onclick: () => zoomTo(view.width ? 0 : 100) }, 'Fit'),
      make('button', { title: 'Larger (+)', onclick: () => zoom(1.5) }, '+')),
  ]);
}

/** What false colours mean. */
function legend() {
  const box = byId('legend');
  box.hidden = view.look !== 'stops' || !shown();
  renew(box, 'stops', () => {
    const bands = [];
    for (let stop = 6; stop >= -12; stop -= 2) {
      const band = make('i', {});
      band.style.background = `hsl(${(360 * 0.72 * (6 - stop)) / 18} 85% 50%)`;
      bands.push(make('span', {}, band, `${stop > 0 ? '+' : ''}${stop}`));
    }
    return bands;
  });
}

function follow() {
  const result = shown();
  const label = document.getElementById('zoom');
  if (label && result) label.textContent = view.width ? `${Math.round((100 * place().width) / result.width)} %` : 'Fit';
  const line = byId('divider');
  line.hidden = !view.split || !result;
  line.style.left = `${100 * view.splitAt}%`;
  line.setAttribute('aria-valuenow', String(Math.round(100 * view.splitAt)));
}

export function beginToolbar() {
  onDraw(follow);
  onChange(() => {
    toolbar();
    legend();
  });
}
