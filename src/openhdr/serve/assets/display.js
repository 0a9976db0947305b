// How light reaches the screen: one of three ways, the best that browser and screen allow.

import { byId } from './dom.js';
import { WebglRenderer } from './webgl.js';
import { WebgpuRenderer } from './webgpu.js';

const LOST = 'openhdr-webgpu-lost';

/** @typedef {'canvas' | 'photo' | 'none'} Way */

const WAYS = /** @type {Object<Way, [string, string]>} */ ({
  canvas: ['HDR', 'True HDR at any exposure: this browser sends light over white to the screen (WebGPU, extended range).'],
  photo: ['HDR photos', 'True HDR as a photo: choose “HDR photo”. At a chosen exposure this browser shows light up to white (WebGL).'],
  none: ['SDR screen', 'This screen or browser shows no HDR: light up to white at the chosen exposure (WebGL). Files keep all of it.'],
});

/** @param {Way} way */
function say(way) {
  const chip = byId('display');
  [chip.textContent, chip.title] = WAYS[way];
  chip.dataset.way = way;
}

/** @param {string} renderer @returns {Way} */
function wayOf(renderer) {
  if (renderer === 'webgpu') return 'canvas';
  const high = matchMedia('(dynamic-range: high)').matches;
  return high && CSS.supports('dynamic-range-limit', 'no-limit') ? 'photo' : 'none';
}

/** A renderer for the canvas; the page says which way it is. */
export async function bestRenderer() {
  const canvas = byId('canvas');
  const screen = matchMedia('(dynamic-range: high)');
  const lost = () => {
    sessionStorage.setItem(LOST, 'yes'); // and not a second time
    location.reload();
  };
  const made = sessionStorage.getItem(LOST) ? null : await WebgpuRenderer.create(canvas, lost).catch(() => null);
  const renderer = made ?? new WebglRenderer(canvas);
  say(wayOf(renderer.name));
  screen.addEventListener('change', () => {
    if (screen.matches !== (renderer.name === 'webgpu') && 'gpu' in navigator && !sessionStorage.getItem(LOST)) location.reload();
    else say(wayOf(renderer.name));
  });
  return renderer;
}
