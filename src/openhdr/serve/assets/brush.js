// Retouching: areas that are taken from one photo, or where a photo is kept or left out.

import { send } from './api.js';
import { byId, make } from './dom.js';
import { start } from './photos.js';
import { setTool } from './pointer.js';
import { act, changed, onChange, selected } from './state.js';
import { onDraw, place, redraw, under, view } from './view.js';
import { pictureOf } from './viewer.js';

/** @typedef {import('./state.js').Stroke} Stroke */

/** of: the picture that the frame was chosen for. */
const brush = { on: false, of: '', frame: 1, trust: 'only', radius: 0.03 };
/** @type {Stroke | null} */
let current = null;
/** @type {{ x: number, y: number } | null} */
let pointer = null;
/** @type {Map<string, { undone: Stroke[] }>} */
const history = new Map();

const TRUSTS = /** @type {const} */ ([
  ['only', 'Take from', 'This area comes from the chosen photo alone'],
  ['always', 'Always trust', 'The chosen photo counts here, whatever seems to have moved'],
  ['never', 'Never trust', 'The chosen photo is left out here'],
  ['found', 'Erase', 'Back to what was found automatically'],
]);
const COLOURS = /** @type {Object<string, string>} */ ({ only: '#35c2ff', always: '#3ddc84', never: '#ff4d67', found: '#c9ccd1' });

/** @param {import('./state.js').Picture} picture @param {Stroke[]} strokes */
async function store(picture, strokes) {
  picture.strokes = strokes; // shown at once
  changed();
  await act(send(`/api/pictures/${picture.id}`, 'PATCH', { strokes }));
}

/** @param {boolean} forward */
export function undo(forward) {
  const picture = selected();
  if (!picture) return;
  const { undone } = history.get(picture.id) ?? { undone: [] };
  history.set(picture.id, { undone });
  if (forward) {
    const again = undone.pop();
    if (again) store(picture, [...picture.strokes, again]);
  } else {
    const last = picture.strokes.at(-1);
    if (last) {
      undone.push(last);
      store(picture, picture.strokes.slice(0, -1));
    }
  }
}

/** @param {boolean} on */
function use(on) {
  brush.on = on;
  setTool(on ? tool : null);
  if (on) view.layer = 'light'; // in which the photos can be shown as they will be merged
  redraw();
  changed();
}

export function toggleBrush() {
  use(!brush.on);
}

/** @param {number} factor */
export function resizeBrush(factor) {
  brush.radius = Math.min(Math.max(brush.radius * factor, 0.002), 0.3);
  redraw();
  changed();
}

const tool = {
  /** @param {PointerEvent} event */
  down(event) {
    const picture = selected();
    if (!picture?.result || picture.command !== 'merge') return false;
    const at = under(event);
    if (at.x < 0 || at.x > 1 || at.y < 0 || at.y > 1) return false;
    current = { frame: brush.frame, trust: brush.trust, radius: brush.radius, points: [point(event)] };
    redraw();
    return true;
  },
  /** @param {PointerEvent} event */
  move(event) {
    pointer = under(event);
    const next = point(event);
    const last = current?.points.at(-1);
    if (current && last && Math.hypot(next[0] - last[0], next[1] - last[1]) > brush.radius / 6) current.points.push(next);
    redraw();
  },
  up() {
    const picture = selected();
    if (picture && current) {
      history.delete(picture.id);
      store(picture, [...picture.strokes, current]);
    }
    current = null;
  },
};

/** A place in units of the picture's width. @param {PointerEvent} event */
function point(event) {
  const at = under(event);
  const shape = place();
  const round = (/** @type {number} */ one) => Math.round(one * 1e5) / 1e5;
  return [round(at.x), round((at.y * shape.height) / shape.width)];
}

/** @param {{ x: number, y: number, width: number, height: number }} at */
function paint(at) {
  const marks = /** @type {HTMLCanvasElement} */ (byId('marks'));
  const canvas = /** @type {HTMLCanvasElement} */ (byId('canvas'));
  if (marks.width !== canvas.width || marks.height !== canvas.height) Object.assign(marks, { width: canvas.width, height: canvas.height });
  const context = marks.getContext('2d');
  if (!context) return;
  context.clearRect(0, 0, marks.width, marks.height);
  const picture = selected();
  if (!picture || !brush.on) return;
  context.lineCap = context.lineJoin = 'round';
  for (const stroke of current ? [...picture.strokes, current] : picture.strokes) {
    const taken = stroke.trust === 'only' && picture.result && view.layer === 'light' ? pictureOf(stroke.frame - 1, at) : null;
    context.globalAlpha = taken ? 1 : stroke === current ? 0.45 : 0.25;
    context.strokeStyle = (taken && context.createPattern(taken, 'no-repeat')) ?? COLOURS[stroke.trust];
    context.lineWidth = 2 * stroke.radius * at.width;
    context.beginPath();
    const [first, ...rest] = stroke.points.map(([x, y]) => [at.x + x * at.width, at.y + y * at.width]);
    context.moveTo(first[0], first[1]);
    context.lineTo(first[0] + 0.1, first[1]);
    for (const [x, y] of rest) context.lineTo(x, y);
    context.stroke();
  }
  if (pointer) {
    context.globalAlpha = 1;
    context.strokeStyle = COLOURS[brush.trust];
    context.lineWidth = 1.5 * (window.devicePixelRatio || 1);
    context.beginPath();
    context.arc(at.x + pointer.x * at.width, at.y + pointer.y * at.height, brush.radius * at.width, 0, 7);
    context.stroke();
  }
}

/** @param {import('./state.js').Picture} picture @returns {(Node | null)[]} */
export function brushPanel(picture) {
  if (picture.command !== 'merge') return [make('p.soft', {}, 'Retouching chooses between the photos of a bracket; this is a single photo.')];
  if (!picture.result) return [make('p.soft', {}, 'Merge the bracket first.')];
  const { frames } = picture.result;
  if (brush.of !== picture.id) Object.assign(brush, { of: picture.id, frame: frames.findIndex((one) => one.reference) + 1 });
  const size = make('input', { id: 'brush-size', type: 'range', min: 0.002, max: 0.2, step: 0.001, value: brush.radius });
  size.addEventListener('input', () => { brush.radius = Number(size.value); redraw(); });
  const chosen = TRUSTS.find(([name]) => name === brush.trust);
  return [
    make('button.wide', { 'aria-pressed': String(brush.on), onclick: toggleBrush }, brush.on ? 'Brush is on (B)' : 'Use the brush (B)'),
    make('div.choice.wrap', { role: 'group', 'aria-label': 'What the brush does' }, ...TRUSTS.map(([name, label, title]) =>
      make('button', { 'aria-pressed': String(brush.trust === name), title, onclick: () => { brush.trust = name; use(true); } }, label))),
    make('p.soft', {}, chosen?.[2] ?? ''),
    brush.trust === 'found' ? null : make('div.frames', { role: 'group', 'aria-label': 'Photo' }, ...frames.map((frame, index) =>
      make('button', { 'aria-pressed': String(brush.frame === index + 1), disabled: frame.status === 'rejected', onclick: () => { brush.frame = index + 1; changed(); } },
        `${index + 1}  ${frame.name}  ${frame.ev >= 0 ? '+' : '−'}${Math.abs(frame.ev).toFixed(1)}`))),
    make('div.field.slider', {}, make('label', { for: 'brush-size' }, 'Size'), size),
    make('div.row', {},
      make('button', { disabled: !picture.strokes.length, title: 'Ctrl-Z', onclick: () => undo(false) }, 'Undo'),
      make('button', { disabled: !history.get(picture.id)?.undone.length, title: 'Ctrl-Shift-Z', onclick: () => undo(true) }, 'Redo'),
      make('button', { disabled: !picture.strokes.length, onclick: () => store(picture, []) }, 'Clear')),
    make('p.soft', {}, picture.strokes.length ? `${picture.strokes.length} stroke${picture.strokes.length > 1 ? 's' : ''}, kept in the recipe (.json).` : 'Paint on the picture. Alt-drag moves it.'),
    picture.result.stale ? make('button.primary.wide', { onclick: () => start(picture) }, picture.strokes.length ? 'Merge with these strokes' : 'Merge') : null,
  ];
}
/** What the panel shows beside the picture. */
brushPanel.key = () => [brush.on, brush.trust, brush.frame, [...history.values()].map((one) => one.undone.length)];

export function beginBrush() {
  onDraw(paint);
  onChange(() => {
    if (brush.on && document.body.dataset.tab !== 'retouch') use(false);
  });
}
