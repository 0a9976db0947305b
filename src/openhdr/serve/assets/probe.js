// The values under the pointer, as the server has them.

import { get } from './api.js';
import { byId, ev } from './dom.js';
import { shown, under } from './view.js';

const PAUSE = 40; // milliseconds between two questions

let asking = false;
/** @type {{ clientX: number, clientY: number } | null} */
let last = null;

/** @param {{ clientX: number, clientY: number }} event */
export async function probe(event) {
  last = event;
  if (asking) return;
  asking = true;
  while (last) {
    const at = under(last);
    last = null;
    const result = shown();
    if (!result || at.x < 0 || at.x > 1 || at.y < 0 || at.y > 1) break;
    try {
      byId('probe').textContent = said(result, at, await get(`/api/results/${result.id}/probe?x=${at.x}&y=${at.y}`));
    } catch {
      break; // the result was replaced
    }
    await new Promise((done) => setTimeout(done, PAUSE));
  }
  asking = false;
}

/**
 * @param {import('./state.js').Result} result @param {{ x: number, y: number }} at @param {Object<string, number[]>} found
 */
function said(result, at, found) {
  const parts = [`x ${Math.floor(at.x * result.width)} y ${Math.floor(at.y * result.height)}`];
  if (found.light) {
    const [r, g, b] = found.light;
    const luminance = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    parts.push(`R ${r.toPrecision(4)}  G ${g.toPrecision(4)}  B ${b.toPrecision(4)}`);
    parts.push(luminance > 0 ? `${ev(Math.log2(luminance))} stops` : 'black');
  } else if (found.tone) {
    parts.push(`RGB ${found.tone.join(' ')}`);
  }
  const used = result.frames.map((_, index) => found[`mask-${index}`]?.[0]);
  if (used.length > 1) parts.push(`used ${used.map((one, index) => `${index + 1}: ${one === undefined ? '–' : Math.round(one / 2.55)}`).join('  ')} %`);
  return parts.join('   ');
}
