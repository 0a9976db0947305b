// What this tab looks at, and where it lies on the canvas.

import { byId } from './dom.js';
import { changed, selected } from './state.js';

/**
 * layer: light, tone, frame or photo (an HDR picture that the browser shows by itself). width: of the whole picture on
 * the canvas, in its pixels; 0 = it fits. x, y: the part of the picture at the middle, 0..1. against: what is left of
 * the split: a frame, or -1 = the tones. matched: frames are shown at the result's brightness.
 */
export const view = {
  layer: 'tone', frame: 0, look: 'plain', mask: -1, split: false, splitAt: 0.5, against: 0,
  exposure: 0, matched: true, width: 0, x: 0.5, y: 0.5,
};

/** @typedef {{ x: number, y: number, width: number, height: number }} Place */

const canvas = /** @type {HTMLCanvasElement} */ (byId('canvas'));
let waiting = false;
/** @type {((place: Place) => void)[]} */
const painters = [];

/** @param {(place: Place) => void} painter draws a part of the view; the first one the picture */
export function onDraw(painter) {
  painters.push(painter);
}

/** Draw again at the next frame. */
export function redraw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(drawNow);
}

export function drawNow() {
  waiting = false;
  const at = place();
  for (const painter of painters) painter(at);
}

/** @returns {import('./state.js').Result | null} */
export function shown() {
  return selected()?.result ?? null;
}

/** @returns {string} what is really shown: a picture for a screen has no light, tones may not be there yet */
export function layerNow() {
  const result = shown();
  if (!result || view.layer === 'frame') return view.layer;
  if (view.layer === 'tone' && !result.tone) return 'light';
  return result.light ? view.layer : 'tone';
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
  move(before.x - after.x, before.y - after.y);
  changed(); // what is zoomed into may be needed in full
}

/** @param {number} percent 0 = fit, 100 = one pixel of the picture is one of the screen */
export function zoomTo(percent) {
  const result = shown();
  if (!result) return;
  if (percent) zoom((result.width * percent) / 100 / place().width);
  else view.width = 0;
  redraw();
}

/** @param {number} dx @param {number} dy parts of the picture */
export function move(dx, dy) {
  if (view.width) {
    view.x = Math.min(Math.max(view.x + dx, 0), 1);
    view.y = Math.min(Math.max(view.y + dy, 0), 1);
  }
  redraw();
}

/** @param {number} dx @param {number} dy shares of what is seen */
export function pan(dx, dy) {
  const at = place();
  move((dx * canvas.width) / at.width, (dy * canvas.height) / at.height);
}
