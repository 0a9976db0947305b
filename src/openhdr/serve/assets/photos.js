// The left side: photos come in, are shown as brackets, and are sent off to be merged.

import { ask, send } from './api.js';
import { byId, make, renew, shutter, toast } from './dom.js';
import { act, changed, jobOf, onChange, select, state } from './state.js';

const AT_ONCE = 3; // uploads

/** @type {Map<string, Promise<string>>} */
const thumbnails = new Map();
/** @type {Set<string>} photos that are ticked, to be joined */
const ticked = new Set();
const sending = { done: 0, all: 0 };

/** @param {import('./state.js').Photo} photo */
function thumbnail(photo) {
  const image = make('img', { alt: photo.name, title: describe(photo), draggable: 'false' });
  if (photo.looked && !photo.problem) {
    let url = thumbnails.get(photo.id);
    if (!url) {
      url = ask(`/api/photos/${photo.id}/thumbnail`).then(async (one) => URL.createObjectURL(await one.blob()));
      thumbnails.set(photo.id, url);
    }
    url.then((text) => { image.src = text; }, () => {});
  }
  return image;
}

/** @param {import('./state.js').Photo} photo */
function describe(photo) {
  const facts = [photo.name, shutter(photo.time_s), photo.f_number ? `f/${photo.f_number}` : '',
    photo.iso ? `ISO ${photo.iso}` : '', photo.width ? `${photo.width}×${photo.height}` : '', photo.camera ?? ''];
  return facts.filter((one) => one).join(' · ');
}

/** @param {import('./state.js').Picture} picture */
function status(picture) {
  const job = jobOf(picture.id);
  if (job) return make('span.chip.busy', {}, job.state === 'waiting' ? 'Waiting' : `${job.step || 'Working'} ${job.percent} %`);
  if (picture.error) return make('span.chip.bad', { title: picture.error }, 'Needs a look');
  if (!picture.result) return null;
  if (picture.result.draft) return make('span.chip', {}, 'First look');
  return make('span.chip.good', {}, picture.result.stale ? 'Changed' : 'Done');
}

const VERBS = { merge: 'Merge', expand: 'Expand to HDR', open: 'Open' };

/** @param {import('./state.js').Picture} picture @returns {Node} */
function card(picture) {
  const photos = picture.photos.map((id) => state.photos[id]).filter((one) => one);
  const job = jobOf(picture.id);
  const verb = VERBS[/** @type {keyof typeof VERBS} */ (picture.command)];
  const needed = !picture.result || picture.result.stale || picture.error;
  const action = job
    ? make('button', { onclick: () => act(send(`/api/jobs/${job.id}`, 'DELETE')) }, 'Cancel')
    : make(needed ? 'button.primary' : 'button', { onclick: () => start(picture) }, needed ? verb : 'Again');
  const times = photos.map((one) => shutter(one.time_s)).filter((one) => one).join('  ');
  const single = photos.length === 1;
  const shown = photos.length > 5 ? [0, 1, 2, 3, 4].map((k) => photos[Math.round(k / 4 * (photos.length - 1))]) : photos;
  return make('li.card', { 'aria-current': picture.id === state.selected ? 'true' : null },
    make('button.strip', { 'aria-label': `Show ${picture.name}, ${photos.length} photos`, onclick: () => {
      select(picture.id);
      document.body.dataset.pane = 'view';
    } }, ...shown.map(thumbnail), photos.length > 5 ? make('span.more', {}, `+${photos.length - 5}`) : null),
    make('div.row.between', {},
      single ? make('label.name', {}, tick(photos[0]), picture.name) : make('span.name', {}, `${picture.name} · ${photos.length}`),
      status(picture)),
    make('p.soft.number', {}, times || 'exposures unknown'),
    picture.why ? make('p.soft', {}, picture.why) : null,
    picture.error ? make('p.bad', {}, picture.error) : null,
    make('div.row', {}, action,
      single ? null : make('button.quiet', { title: 'Show these photos one by one', onclick: () => act(send(`/api/pictures/${picture.id}/split`, 'POST')) }, 'Ungroup'),
      make('button.quiet', { 'aria-label': `Remove ${picture.name}`, onclick: () => act(send(`/api/pictures/${picture.id}`, 'DELETE')) }, 'Remove')));
}

/** @param {import('./state.js').Photo} photo */
function tick(photo) {
  return make('input', { type: 'checkbox', 'aria-label': `Select ${photo.name}`, checked: ticked.has(photo.id), onchange: () => {
    if (!ticked.delete(photo.id)) ticked.add(photo.id);
    changed();
  } });
}

/** @param {import('./state.js').Picture} picture */
export function start(picture) {
  select(picture.id);
  return act(send(`/api/pictures/${picture.id}/make`, 'POST'));
}

async function join() {
  const photos = Object.keys(state.photos).filter((id) => ticked.has(id));
  const made = await act(send('/api/pictures', 'POST', { photos }));
  if (made) {
    ticked.clear();
    select(made.id);
  }
}

function draw() {
  const brackets = state.pictures.filter((one) => one.photos.length > 1);
  const singles = state.pictures.filter((one) => one.photos.length === 1);
  const bad = Object.values(state.photos).filter((one) => one.problem);
  for (const id of ticked) if (!state.photos[id]) ticked.delete(id);
  document.body.classList.toggle('has-photos', state.pictures.length > 0);

  renew(byId('brackets'), [brackets.map(key), state.selected], () => brackets.map(card));
  const waiting = brackets.filter((one) => (!one.result || one.result.stale) && !jobOf(one.id));
  renew(byId('batch'), [waiting.length, ticked.size], () => [
    waiting.length > 1 ? make('button.primary', { onclick: () => waiting.forEach(start) }, `Merge all ${waiting.length}`) : null,
    ticked.size > 1 ? make('button.primary', { onclick: join }, `Merge ${ticked.size} as one bracket`) : null,
  ]);
  byId('batch').hidden = waiting.length < 2 && ticked.size < 2;
  renew(byId('rest'), [singles.map(key), bad.map((one) => one.id), [...ticked], state.selected], () => [
    singles.length ? make('h2', {}, 'Photos by themselves') : null,
    singles.length ? make('ul', { 'aria-label': 'Photos by themselves' }, ...singles.map(card)) : null,
    bad.length ? make('h2', {}, 'Cannot be read') : null,
    bad.length ? make('ul', { 'aria-label': 'Cannot be read' }, ...bad.map((one) => make('li.card.bad', {}, make('p', {}, one.problem),
      make('button.quiet', { 'aria-label': `Remove ${one.name}`, onclick: () => act(send(`/api/photos?id=${one.id}`, 'DELETE')) }, 'Remove')))) : null,
  ]);
  const words = [];
  if (state.gone) words.push('The server has ended. Start openhdr serve again.');
  if (sending.done < sending.all) words.push(`Receiving ${sending.done + 1} of ${sending.all}`);
  if (state.looking) words.push(`Looking at ${state.looking} photos`);
  const jobs = state.jobs.filter((one) => one.state === 'running');
  for (const job of jobs) words.push(`${job.label}${job.step ? `: ${job.step} ${job.percent} %` : ''}`);
  const more = state.jobs.length - jobs.length;
  if (more > 0) words.push(`${more} waiting`);
  byId('activity').textContent = words.join(' · ');
  document.body.classList.toggle('gone', state.gone);
}

/** @param {import('./state.js').Picture} picture what a card shows */
function key(picture) {
  const { result } = picture;
  const photos = picture.photos.map((id) => [id, state.photos[id]?.looked]);
  return [picture.id, photos, picture.error, picture.why, result?.id, result?.draft, result?.stale, jobOf(picture.id)];
}

/** @param {{ file: File, folder: string }[]} found */
async function add(found) {
  const known = found.filter(({ file }) => state.about.extensions.some((one) => file.name.toLowerCase().endsWith(one))
    && !file.name.startsWith('.'));
  if (!known.length && found.length) toast('None of these files is a photo that openhdr reads.');
  sending.all += known.length;
  changed();
  const queue = [...known];
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let one = queue.shift(); one; one = queue.shift()) {
      const query = new URLSearchParams({ name: one.file.name, folder: one.folder });
      await act(ask(`/api/photos?${query}`, { method: 'PUT', body: one.file }));
      sending.done += 1;
      changed();
    }
  }));
  if (sending.done === sending.all) sending.done = sending.all = 0;
  changed();
}

/** @param {FileList | null} files @returns {{ file: File, folder: string }[]} */
function listed(files) {
  return [...(files ?? [])].map((file) => ({ file, folder: file.webkitRelativePath.split('/').slice(0, -1).join('/') }));
}

/**
 * Files of what was dropped, those in folders too.
 * @param {FileSystemEntry} entry @param {string} folder @returns {Promise<{ file: File, folder: string }[]>}
 */
async function walk(entry, folder) {
  if (entry.isFile) {
    const file = await new Promise((done, failed) => /** @type {FileSystemFileEntry} */ (entry).file(done, failed));
    return [{ file, folder }];
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  const inside = [];
  for (;;) {
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) break;
    inside.push(...some);
  }
  return (await Promise.all(inside.map((one) => walk(one, `${folder}${entry.name}/`)))).flat();
}

function receive() {
  const shade = byId('shade');
  addEventListener('dragover', (event) => {
    event.preventDefault();
    shade.hidden = !event.dataTransfer?.types.includes('Files');
  });
  addEventListener('dragleave', (event) => { if (!event.relatedTarget) shade.hidden = true; });
  addEventListener('drop', async (event) => {
    event.preventDefault();
    shade.hidden = true;
    const items = [...(event.dataTransfer?.items ?? [])].filter((one) => one.kind === 'file');
    const entries = items.map((one) => one.webkitGetAsEntry());
    const files = items.map((one) => one.getAsFile());
    const found = await Promise.all(entries.map((entry, index) => {
      if (entry) return walk(entry, '');
      const file = files[index];
      return file ? [{ file, folder: '' }] : [];
    }));
    add(found.flat());
  });
  addEventListener('paste', (event) => add(listed(event.clipboardData?.files ?? null)));
  for (const name of ['files', 'folder']) {
    const input = byId(name);
    byId(`choose-${name}`).addEventListener('click', () => input.click());
    input.addEventListener('change', () => {
      add(listed(input.files));
      input.value = '';
    });
  }
}

export function beginPhotos() {
  receive();
  onChange(draw);
}
