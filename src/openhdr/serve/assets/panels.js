// The right side: how photos are merged, what they look like, and the files that are written.

import { ask, send } from './api.js';
import { beginBrush, brushPanel } from './brush.js';
import { byId, ev, field, make, renew, toast } from './dom.js';
import { start } from './photos.js';
import { act, changed, onChange, selected, state } from './state.js';
import { show } from './toolbar.js';
import { view } from './view.js';

const TABS = /** @type {const} */ ([['merge', 'Merge'], ['tone', 'Tone'], ['retouch', 'Retouch'], ['export', 'Export']]);
let tab = 'merge';
/** What the export tab has chosen: a file for light, or a picture for any screen. */
const wanted = { suffix: '.exr', light: true, options: /** @type {Object<string, Object<string, any>>} */ ({}) };

/** @param {string} name */
export function openTab(name) {
  tab = name;
  changed();
}

/** @param {import('./state.js').Picture} picture @param {Object<string, any>} values */
function change(picture, values) {
  return act(send(`/api/pictures/${picture.id}`, 'PATCH', values));
}

/** @param {import('./state.js').Picture} picture @returns {(Node | null)[]} */
function mergePanel(picture) {
  const form = picture.command === 'merge' ? state.about.merge : picture.command === 'expand' ? state.about.expand : [];
  const { result } = picture;
  const set = (/** @type {string} */ name, /** @type {any} */ value) => {
    const options = { ...picture.options, [name]: value };
    if (value === null) delete options[name];
    change(picture, { options });
  };
  const verbs = { merge: 'Merge', expand: 'Expand to HDR', open: 'Open again' };
  const verb = verbs[/** @type {keyof typeof verbs} */ (picture.command)];
  const exposures = /no (shutter time|exposure)|exposure/i.test(picture.error) && picture.command === 'merge' && picture.options.ev !== 'auto';
  return [
    picture.error ? make('p.bad', { role: 'alert' }, picture.error) : null,
    exposures ? make('button', { onclick: async () => {
      await change(picture, { options: { ...picture.options, ev: 'auto' } });
      start(picture);
    } }, 'Measure exposures in the pixels') : null,
    ...form.filter((one) => one.name !== 'reference').map((one) => field(one, picture.options[one.name], (value) => set(one.name, value))),
    picture.command === 'merge' ? reference(picture, set) : null,
    make('button.primary.wide', { onclick: () => start(picture) }, verb),
    result && !result.draft ? make('h2', {}, 'What was done') : null,
    result && !result.draft && result.frames.length > 1 ? frames(result) : null,
    result && !result.draft && result.response ? make('p.soft', {}, `Exposures from ${result.exposures_from}; response ${result.response}.`) : null,
    ...(result?.notes ?? []).map((note) => make('p.soft', {}, note)),
  ];
}

/** @param {import('./state.js').Picture} picture @param {(name: string, value: any) => void} set */
function reference(picture, set) {
  const choices = /** @type {[string, string][]} */ ([['', 'Default (middle exposure)'], ...picture.photos.map((id, index) => [String(index + 1), `${index + 1}  ${state.photos[id]?.name}`])]);
  const option = /** @type {any} */ ({ name: 'reference', label: 'Reference photo', kind: 'choice', help: 'Its geometry and moment are kept.', choices });
  return field(option, picture.options.reference ? String(picture.options.reference) : '', (value) => set('reference', value === null ? null : Number(value)));
}

/** @param {import('./state.js').Result} result */
function frames(result) {
  const rows = result.frames.map((one, index) => make('tr', {},
    make('th', { scope: 'row' }, make('button.link', { onclick: () => show('frame', index), title: 'Show this photo' }, `${index + 1} ${one.name}`)),
    make('td', {}, ev(one.ev)), make('td', {}, one.reference ? 'reference' : one.status === 'aligned' ? `${one.shift_px.toFixed(1)} px` : one.status),
    make('td', {}, make('button.link', { onclick: () => { view.mask = view.mask === index ? -1 : index; changed(); }, title: 'Show what was left out' }, `${Math.round(100 * one.used)} %`))));
  const head = ['Photo', 'EV', 'Moved', 'Used'].map((one) => make('th', { scope: 'col' }, one));
  return make('div.scroll', {}, make('table', {}, make('thead', {}, make('tr', {}, ...head)), make('tbody', {}, ...rows)));
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let settling;
/** @type {Object<string, Object<string, number>>} looks to start from */
const PRESETS = {
  Natural: {}, Soft: { contrast: 0.9, saturation: 0.95 }, Vivid: { contrast: 1.15, saturation: 1.25 },
  Bright: { exposure: 0.7 }, Moody: { exposure: -0.7, contrast: 1.2, saturation: 0.9 }, 'Black and white': { saturation: 0, contrast: 1.15 },
};

/** @param {import('./state.js').Picture} picture @returns {(Node | null)[]} */
function tonePanel(picture) {
  const { operator, options } = picture.tone;
  const row = state.about.operators.find((one) => one.name === operator) ?? state.about.operators[0];
  const set = async (/** @type {string} */ name, /** @type {Object<string, number>} */ values) => {
    picture.tone = { operator: name, options: values };
    changed();
    clearTimeout(settling);
    settling = setTimeout(async () => {
      await change(picture, { tone: picture.tone });
      if (picture.result?.light) await act(send(`/api/pictures/${picture.id}/tone?proxy=1`, 'POST'));
      if (view.layer !== 'tone') show('tone');
    }, 60);
  };
  return [
    make('div.field', {}, make('label', { for: 'operator' }, 'Operator'),
      make('select', { id: 'operator', onchange: (/** @type {any} */ event) => set(event.target.value, {}) },
        ...state.about.operators.map((one) => make('option', { value: one.name, selected: one.name === row.name }, one.default ? `${one.name} (default)` : one.name)))),
    make('p.soft', {}, row.summary),
    make('div.row', { role: 'group', 'aria-label': 'Presets' }, ...Object.entries(PRESETS).map(([name, values]) =>
      make('button', { 'aria-pressed': String(JSON.stringify(options) === JSON.stringify(values)), onclick: () => set(operator, { ...values }) }, name))),
    ...row.options.map((one) => slider(one, options[one.name], (value) => {
      const { [one.name]: _, ...others } = picture.tone.options;
      set(operator, value === null ? others : { ...others, [one.name]: value });
    })),
    make('button', { onclick: () => set(operator, {}) }, 'Reset'),
  ];
}

/** @type {Object<string, [number, number]>} ranges that are useful; any value within the bounds can be typed */
const USEFUL = { exposure: [-5, 5], contrast: [0.25, 2], saturation: [0, 2], white: [0.5, 16], key: [0.01, 1], detail: [0, 3], edge: [0.1, 5], phi: [0, 20] };

/** @param {import('./state.js').Option} option @param {number | undefined} value @param {(value: number | null) => void} chosen */
function slider(option, value, chosen) {
  const [low, high] = USEFUL[option.name] ?? option.bounds;
  const now = value ?? option.default ?? (low + high) / 2;
  const id = `tone-${option.name}`;
  const range = make('input', { id, type: 'range', min: low, max: high, step: (high - low) / 200, value: now, title: option.help });
  const number = make('input.short', { type: 'number', step: 'any', min: option.bounds[0], max: option.bounds[1], value: value ?? option.default ?? '', placeholder: 'auto', 'aria-label': `${option.label}, exact` });
  range.addEventListener('input', () => { number.value = Number(Number(range.value).toPrecision(3)); });
  range.addEventListener('change', () => chosen(Number(Number(range.value).toPrecision(3))));
  range.addEventListener('input', () => chosen(Number(Number(range.value).toPrecision(3))));
  range.addEventListener('dblclick', () => chosen(null));
  number.addEventListener('change', () => chosen(number.value === '' ? null : Number(number.value)));
  return make('div.field.slider', { title: option.help }, make('label', { for: id }, option.label), range, number);
}

const NAMES = /** @type {Object<string, string>} */ ({
  '.exr': 'OpenEXR, for editing', '.hdr': 'Radiance HDR', '.tif': 'TIFF', '.jpg': 'JPEG with gain map: HDR on HDR screens',
  '.avif': 'AVIF, HDR', '.jxl': 'JPEG XL, HDR', '.png': 'PNG, HDR (PQ)', '.heic': 'HEIC, HDR', '.dng': 'DNG',
});

/** @param {import('./state.js').Picture} picture @returns {(Node | null)[]} */
function exportPanel(picture) {
  const light = picture.result?.light !== null;
  const choose = (/** @type {string} */ suffix, /** @type {boolean} */ isLight) => () => {
    Object.assign(wanted, { suffix, light: isLight });
    changed();
  };
  const button = (/** @type {string} */ suffix, /** @type {boolean} */ isLight, /** @type {string} */ title) =>
    make('button', { 'aria-pressed': String(wanted.suffix === suffix && wanted.light === isLight), title, onclick: choose(suffix, isLight) }, suffix.slice(1).toUpperCase());
  const options = entered();
  const done = state.pictures.filter((one) => one.result || one.photos.length > 1);
  return [
    make('h2', {}, 'HDR light'),
    make('div.row', { role: 'group', 'aria-label': 'HDR formats' }, ...state.about.files.map((one) => button(one.suffix, true, NAMES[one.suffix] ?? one.suffix))),
    make('h2', {}, 'Picture for any screen'),
    make('div.row', { role: 'group', 'aria-label': 'Picture formats' }, ...state.about.pictures.map((one) => button(one, false, 'Tone-mapped, as in the Tone tab'))),
    make('p.soft', {}, wanted.light ? NAMES[wanted.suffix] ?? '' : 'Tone-mapped, as chosen under Tone.'),
    light || !wanted.light ? null : make('p.soft', {}, 'This method makes a picture for a screen; it is stored as one.'),
    ...offered().map((one) => field(one, options[one.name], (value) => {
      options[one.name] = value;
      changed();
    })),
    make('button.primary.wide', { onclick: () => save([picture], wanted.suffix, wanted.light) }, `Save ${picture.name}${wanted.suffix}`),
    done.length > 1 ? make('button.wide', { onclick: () => save(done, wanted.suffix, wanted.light) }, `Save all ${done.length}`) : null,
    make('button.wide', { title: 'How it was made, retouching included: openhdr merge --like takes it', onclick: () => save([picture], '.json', false) }, 'Save recipe (.json)'),
  ];
}

/** What was entered for the chosen file, also where something else makes it useless now. */
function entered() {
  const name = `${wanted.suffix} ${wanted.light}`;
  wanted.options[name] ??= {};
  return wanted.options[name];
}

/** The options that change the chosen file. */
function offered() {
  const form = wanted.light ? state.about.files.find((one) => one.suffix === wanted.suffix)?.options ?? [] : [];
  return form.filter((one) => !entered()[one.idle_with]);
}

/** What is asked of the chosen file. */
function asked() {
  const options = Object.fromEntries(offered().map((one) => [one.name, entered()[one.name] ?? null]));
  return { suffix: wanted.suffix, light: wanted.light, options };
}

/**
 * Write files and hand them to the user: into a folder that is chosen, where the browser can and there are several.
 * @param {import('./state.js').Picture[]} pictures @param {string} suffix @param {boolean} light
 */
async function save(pictures, suffix, light) {
  /** @type {any} */
  let folder = null;
  const chooser = /** @type {any} */ (window).showDirectoryPicker;
  if (pictures.length > 1 && chooser) {
    folder = await chooser({ mode: 'readwrite' }).catch(() => null);
    if (!folder) return;
  }
  const { options } = suffix === '.json' ? { options: {} } : asked();
  const made = [];
  for (const picture of pictures) {
    const begun = await act(send(`/api/pictures/${picture.id}/export`, 'POST', { suffix, light, options }));
    if (begun) made.push({ picture, id: begun.id });
  }
  for (const { picture, id } of made) {
    const blob = await act(fetched(id));
    if (blob) await hand(blob, picture.name + suffix, folder);
  }
}

/** @param {string} id @returns {Promise<Blob>} when it is ready */
async function fetched(id) {
  for (;;) {
    const response = await ask(`/api/exports/${id}`);
    if (response.status === 200) return response.blob();
    await new Promise((done) => setTimeout(done, 250));
  }
}

/** @param {Blob} blob @param {string} name @param {any} folder */
async function hand(blob, name, folder) {
  if (folder) {
    const file = await (await folder.getFileHandle(name, { create: true })).createWritable();
    await blob.stream().pipeTo(file);
  } else {
    const url = URL.createObjectURL(blob);
    make('a', { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
  }
  toast(`Saved ${name} (${(blob.size / 1e6).toFixed(1)} MB)`);
}

let commandKey = '';
/** @param {import('./state.js').Picture} picture the command line that writes the file chosen under Export */
async function showCommand(picture) {
  const file = asked();
  const key = JSON.stringify([picture.id, picture.options, picture.tone, picture.strokes.length, file]);
  if (key === commandKey) return;
  commandKey = key;
  try {
    const { command } = await send(`/api/pictures/${picture.id}/command`, 'POST', file);
    if (key !== commandKey) return;
    const parts = command.split(/( )/).map((/** @type {string} */ part) => part === ' ' ? part : make('span', {}, part));
    /** @type {HTMLElement} */ (byId('command').querySelector('code')).replaceChildren(...parts);
  } catch { /* the field with the value says so */ }
}

function draw() {
  const picture = selected();
  document.body.classList.toggle('has-picture', picture !== null);
  if (!picture || !state.about) return;
  renew(byId('tabs'), tab, () => TABS.map(([name, label]) => make('button', {
    role: 'tab', id: `tab-${name}`, 'aria-selected': String(tab === name), 'aria-controls': 'panels', tabindex: tab === name ? 0 : -1,
    onclick: () => openTab(name), onkeydown: arrows,
  }, label)));
  const place = byId('panels');
  place.setAttribute('role', 'tabpanel');
  place.setAttribute('aria-labelledby', `tab-${tab}`);
  const panels = /** @type {Object<string, () => (Node | null)[]>} */ ({
    merge: () => mergePanel(picture), tone: () => tonePanel(picture), retouch: () => brushPanel(picture), export: () => exportPanel(picture),
  });
  const { result } = picture;
  const keys = /** @type {Object<string, any>} */ ({
    merge: [picture.options, picture.error, result?.id, result?.draft, picture.photos.length],
    tone: [picture.tone.operator, document.activeElement?.closest('.slider') ? 0 : picture.tone.options],
    retouch: [result?.id, result?.stale, picture.strokes.length, picture.command],
    export: [wanted, state.pictures.length, result?.light === null, picture.name],
  });
  renew(place, [tab, picture.id, keys[tab], tab === 'retouch' ? brushPanel.key() : 0], panels[tab]);
  document.body.dataset.tab = tab;
  showCommand(picture);
}

/** @param {KeyboardEvent} event */
function arrows(event) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step) return;
  const now = TABS.findIndex(([name]) => name === tab);
  openTab(TABS[(now + step + TABS.length) % TABS.length][0]);
  queueMicrotask(() => byId(`tab-${tab}`).focus());
}

export function beginPanels() {
  beginBrush();
  byId('copy').addEventListener('click', async () => {
    const text = byId('command').querySelector('code').textContent;
    try {
      await navigator.clipboard.writeText(text);
      toast('Copied');
    } catch {
      getSelection()?.selectAllChildren(byId('command').querySelector('code'));
      toast('Selected: copy it with Ctrl-C');
    }
  });
  onChange(draw);
}

