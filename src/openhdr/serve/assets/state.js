// What the page knows: the server's listing, what is being done, and what this tab looks at.

/**
 * @typedef {{ id: string, name: string, folder: string, problem: string, looked: boolean, width?: number,
 *   height?: number, format?: string, time_s?: number | null, iso?: number | null, f_number?: number | null,
 *   notes?: string[], camera?: string, clipped?: number, black?: number }} Photo
 * @typedef {{ name: string, ev: number, status: string, shift_px: number, reference: boolean, used: number }} Frame
 * @typedef {{ low: number, high: number, counts: number[][] }} Histogram
 * @typedef {number[][]} Sizes
 * @typedef {{ name: string, sizes: Sizes, proxy?: boolean, of?: { operator: string, options: Object<string, number> } }} Tone
 * @typedef {{ id: string, draft: boolean, stale: boolean, width: number, height: number, notes: string[],
 *   light: Sizes | null, tone: Tone | null, masks: Sizes[], frames: Frame[], frame_layers?: Object<string, Sizes>, photo?: string,
 *   histogram?: Histogram, stops?: number, peak?: number, response: string, exposures_from: string }} Result
 * @typedef {{ frame: number, trust: string, radius: number, points: number[][] }} Stroke
 * @typedef {{ id: string, name: string, photos: string[], command: string, by_hand: boolean, why: string,
 *   options: Object<string, any>, strokes: Stroke[], tone: { operator: string, options: Object<string, number> },
 *   error: string, result: Result | null }} Picture
 * @typedef {{ id: string, target: string, label: string, state: string, step: string, percent: number, error: string }} Job
 * @typedef {{ name: string, label: string, kind: string, help: string, choices: [string, string][],
 *   bounds: [number, number], idle_with: string, default?: any }} Option
 * @typedef {{ name: string, summary: string, default: boolean, options: Option[] }} Operator
 * @typedef {{ version: string, merge: Option[], expand: Option[], operators: Operator[],
 *   files: { suffix: string, options: Option[] }[], pictures: string[], extensions: string[] }} About
 */

import { get, listen, send } from './api.js';
import { toast } from './dom.js';

export const state = {
  /** @type {About} */ about: /** @type {any} */ (null),
  /** @type {Object<string, Photo>} */ photos: {},
  /** @type {Picture[]} */ pictures: [],
  /** @type {Job[]} */ jobs: [],
  looking: 0,
  arriving: 0,
  version: -1,
  gone: false,
  /** @type {string | null} */ selected: null,
};

/** @type {(() => void)[]} */
const listeners = [];

/** @param {() => void} listener called after every change */
export function onChange(listener) {
  listeners.push(listener);
}

let scheduled = false;
export function changed() {
  if (scheduled) return;
  scheduled = true;
  queueMicrotask(() => {
    scheduled = false;
    for (const listener of listeners) listener();
  });
}

/** @returns {Picture | null} the picture that is looked at */
export function selected() {
  return state.pictures.find((one) => one.id === state.selected) ?? null;
}

/** @param {string | null} id */
export function select(id) {
  if (state.selected === id) return;
  state.selected = id;
  lookFirst();
  changed();
}

/** @param {string} target @returns {Job | undefined} what is being made of a picture */
export function jobOf(target) {
  return state.jobs.find((job) => job.target === target && job.state === 'running')
    ?? state.jobs.find((job) => job.target === target);
}

/** Ask for a first look at what is selected, once its photos have been looked at. */
function lookFirst() {
  const picture = selected();
  if (!picture || picture.result || picture.error || state.arriving || jobOf(picture.id)) return;
  if (Object.values(state.photos).some((one) => one.width === undefined && !one.problem)) return; // it may still grow
  if (!picture.photos.every((id) => state.photos[id]?.looked)) return;
  act(send(`/api/pictures/${picture.id}/make?draft=1`, 'POST'));
}

/** @param {Promise<any>} promise shows what the server refuses */
export async function act(promise) {
  try {
    return await promise;
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error));
    return null;
  }
}

let fetching = false;
let newest = -1;
/** @param {number} version that the server has; a newer one may be told while this one is fetched */
async function refresh(version) {
  newest = version;
  if (fetching) return;
  fetching = true;
  try {
    while (state.version < newest) {
      const listing = await get('/api/listing');
      Object.assign(state, { photos: listing.photos, pictures: listing.pictures, arriving: listing.arriving });
      state.version = listing.version;
    }
    if (!selected()) state.selected = state.pictures[0]?.id ?? null;
    lookFirst();
    changed();
  } finally {
    fetching = false;
  }
}

export async function begin() {
  state.about = await get('/api/about');
  changed();
  await listen((message) => {
    state.jobs = message.jobs;
    state.looking = message.looking;
    if (message.version !== state.version) refresh(message.version);
    changed();
  }, (gone) => {
    state.gone = gone;
    if (gone) state.version = -1;
    changed();
  });
}
