// How bright light is shown: the slider, the histogram under it, and what clips.

import { byId, ev } from './dom.js';
import { clippedShares, drawHistogram } from './histogram.js';
import { changed } from './state.js';
import { layerNow, onDraw, redraw, shown, view } from './view.js';

/** @param {number} stops */
function set(stops) {
  view.exposure = Math.min(Math.max(Math.round(stops * 20) / 20, -20), 20);
  redraw();
}

/** Light at another exposure, also where tones were shown. @param {number} stops */
export function setExposure(stops) {
  if (view.layer === 'tone' || view.layer === 'photo') {
    view.layer = 'light';
    changed();
  }
  set(stops);
}

/** Brightness from the histogram: the median at a middle tone, but no more than three hundredths over white. */
export function autoExposure() {
  const histogram = shown()?.histogram;
  if (!histogram) return;
  const green = histogram.counts[1];
  const all = green.reduce((sum, one) => sum + one, 0);
  const at = (/** @type {number} */ share) => {
    let sum = 0;
    const bin = green.findIndex((one) => (sum += one) >= share * all);
    return histogram.low + ((bin + 0.5) * (histogram.high - histogram.low)) / green.length;
  };
  set(Math.min(Math.log2(0.18) - at(0.5), Math.max(-at(0.97), Math.log2(0.09) - at(0.5))));
}

function tell() {
  const result = shown();
  byId('exposure').value = view.exposure;
  byId('exposure-value').textContent = `${ev(view.exposure)} EV`;
  byId('histogram').style.visibility = result?.histogram ? 'visible' : 'hidden';
  if (result?.histogram) drawHistogram(byId('histogram'), result.histogram, view.exposure);
  const shares = result?.histogram && layerNow() === 'light' ? clippedShares(result.histogram, view.exposure) : null;
  byId('clipping').textContent = shares
    ? `${(100 * shares.over).toFixed(1)} % over white, ${(100 * shares.under).toFixed(1)} % black · ${result?.stops?.toFixed(1)} stops, peak ${result?.peak?.toPrecision(3)}`
    : '';
}

export function beginExposure() {
  byId('exposure').addEventListener('input', (/** @type {any} */ event) => setExposure(Number(event.target.value)));
  byId('exposure-auto').addEventListener('click', () => {
    setExposure(view.exposure);
    autoExposure();
  });
  byId('exposure-zero').addEventListener('click', () => setExposure(0));
  onDraw(tell);
}
