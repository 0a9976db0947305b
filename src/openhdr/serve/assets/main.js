// The page: everything is begun here.

import { beginPanels, openTab } from './panels.js';
import { bestRenderer } from './display.js';
import { byId, make, toast } from './dom.js';
import { beginPhotos } from './photos.js';
import { resizeBrush, toggleBrush, undo } from './brush.js';
import { begin, onChange, select, selected, state } from './state.js';
import { key } from './toolbar.js';
import { beginViewer } from './viewer.js';

const HELP = [
  ['H, T', 'light, tone-mapped picture'], ['S', 'split: before and after'], ['E, D', 'brighter, darker by half a stop'],
  ['A, R', 'exposure from the picture, back to 0'], ['wheel, + −', 'zoom'], ['Shift + wheel', 'exposure'], ['0, 1, 2', 'fit, 100 %, 200 %'],
  ['arrows, drag', 'move the picture'], ['F, C', 'false colour in stops, clipping'], ['M', 'ghost mask of the next photo'],
  ['B', 'brush'], ['[ ]', 'size of the brush'], ['Ctrl-Z, Ctrl-Shift-Z', 'undo, redo a stroke'], ['N, P', 'next, previous picture'], ['?', 'this page'],
];

function help() {
  const dialog = byId('help');
  if (!dialog.childElementCount) {
    dialog.append(make('h2', {}, 'Keys'),
      make('dl', {}, ...HELP.flatMap(([keys, what]) => [make('dt', {}, keys), make('dd', {}, what)])),
      make('p.soft', {}, 'Photos stay on this machine. Closing the page loses nothing; ending openhdr serve forgets all that was not saved.'),
      make('button', { onclick: () => dialog.close() }, 'Close'));
  }
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

/** @param {number} step */
function neighbour(step) {
  const now = state.pictures.findIndex((one) => one.id === selected()?.id);
  const next = state.pictures[now + step];
  if (next) select(next.id);
}

/** @type {Object<string, () => void>} */
const KEYS = {
  '?': help, n: () => neighbour(1), p: () => neighbour(-1), '[': () => resizeBrush(0.8), ']': () => resizeBrush(1.25),
  b: () => { openTab('retouch'); queueMicrotask(toggleBrush); },
};

addEventListener('keydown', (event) => {
  if (event.target instanceof Element && event.target.matches('input:not([type=range]):not([type=checkbox]), select, textarea')) return;
  const letter = event.key.toLowerCase();
  if ((event.ctrlKey || event.metaKey) && letter === 'z') {
    undo(event.shiftKey);
    event.preventDefault();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || byId('help').open) return;
  if (KEYS[letter]) KEYS[letter]();
  else if (!key(event)) return;
  event.preventDefault();
});

function theme() {
  const stored = localStorage.getItem('openhdr-theme');
  if (stored) document.documentElement.dataset.theme = stored;
  byId('theme').addEventListener('click', () => {
    const dark = getComputedStyle(document.documentElement).colorScheme !== 'light';
    const next = dark ? 'light' : 'dark';
    document.documentElement.dataset.theme = next;
    localStorage.setItem('openhdr-theme', next);
  });
}

function panes() {
  for (const button of document.querySelectorAll('#panes button')) {
    button.addEventListener('click', () => { document.body.dataset.pane = /** @type {HTMLElement} */ (button).dataset.go; });
  }
  const mark = () => {
    for (const button of document.querySelectorAll('#panes button')) {
      button.setAttribute('aria-pressed', String(/** @type {HTMLElement} */ (button).dataset.go === document.body.dataset.pane));
    }
  };
  new MutationObserver(mark).observe(document.body, { attributes: true, attributeFilter: ['data-pane'] });
  mark();
}

theme();
panes();
byId('help-open').addEventListener('click', help);
try {
  beginViewer(await bestRenderer());
  byId('display').addEventListener('click', () => toast(byId('display').title));
  beginPhotos();
  beginPanels();
  onChange(() => document.title = selected() ? `${selected()?.name} – openhdr` : 'openhdr');
  await begin();
} catch (error) {
  toast(error instanceof Error ? error.message : String(error));
  throw error;
}
