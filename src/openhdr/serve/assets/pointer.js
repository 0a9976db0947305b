// Mouse, fingers and pen on the picture: they move it, zoom it, probe it, or paint on it.

import { byId } from './dom.js';
import { setExposure } from './exposure.js';
import { probe } from './probe.js';
import { move, place, redraw, shown, view, zoom, zoomTo } from './view.js';

const canvas = /** @type {HTMLCanvasElement} */ (byId('canvas'));
const stage = byId('stage');

/** @type {Map<number, { clientX: number, clientY: number }>} */
const pointers = new Map();
/** @type {{ down: (event: PointerEvent) => boolean, move: (event: PointerEvent) => void, up: (event: PointerEvent) => void } | null} */
let tool = null;
let toolActive = false;

/** @param {typeof tool} next takes the pointer instead of moving the picture; null = none does */
export function setTool(next) {
  tool = next;
  stage.classList.toggle('painting', next !== null);
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
}

export function beginPointer() {
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
    const result = shown();
    if (tool || !result) return;
    if (view.width) zoomTo(0);
    else zoom(result.width / place().width, event);
  });
  beginDivider();
}

/** The line of the split follows the pointer and the arrow keys. */
function beginDivider() {
  const line = byId('divider');
  const to = (/** @type {number} */ share) => {
    view.splitAt = Math.min(Math.max(share, 0), 1);
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
