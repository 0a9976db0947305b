// The histogram of light over stops.

const COLOURS = ['#ff5a5f', '#3ddc84', '#4d9dff'];

/** Share of the pixels over white and near black at an exposure, by the channel that is most so.
 * @param {import('./state.js').Histogram} histogram @param {number} exposure */
export function clippedShares({ low, high, counts }, exposure) {
  const step = (high - low) / counts[0].length;
  const white = Math.round((-exposure - low) / step);
  const black = Math.round((-11 - exposure - low) / step);
  const share = (/** @type {number[]} */ channel, /** @type {number} */ from, /** @type {number} */ to) => {
    const all = channel.reduce((sum, one) => sum + one, 0);
    return channel.slice(Math.max(from, 0), Math.max(to, 0)).reduce((sum, one) => sum + one, 0) / Math.max(all, 1);
  };
  return {
    over: Math.max(...counts.map((one) => share(one, white, one.length))),
    under: Math.min(...counts.map((one) => share(one, 0, black))),
  };
}

/** @param {HTMLCanvasElement} canvas @param {import('./state.js').Histogram} histogram @param {number} exposure */
export function drawHistogram(canvas, { low, high, counts }, exposure) {
  const context = canvas.getContext('2d');
  if (!context) return;
  const { width, height } = canvas;
  const style = getComputedStyle(canvas);
  const floor = height - 16;
  const [first, last] = [Math.max(low, -14), Math.min(high, 10)];
  const x = (/** @type {number} */ stops) => ((stops - first) / (last - first)) * width;
  const step = (high - low) / counts[0].length;
  const inner = counts.map((channel) => channel.slice(1, -1));
  const top = Math.sqrt(Math.max(...inner.flat(), 1));
  context.clearRect(0, 0, width, height);
  context.globalCompositeOperation = 'source-over';
  context.fillStyle = 'rgba(128,128,128,.12)';
  context.fillRect(x(-exposure), 0, width, floor);
  context.globalCompositeOperation = style.colorScheme === 'light' ? 'multiply' : 'lighter';
  counts.forEach((channel, index) => {
    context.fillStyle = COLOURS[index];
    context.globalAlpha = 0.75;
    context.beginPath();
    context.moveTo(0, floor);
    channel.forEach((one, bin) => context.lineTo(x(low + (bin + 0.5) * step), floor - (Math.sqrt(one) / top) * (floor - 4)));
    context.lineTo(width, floor);
    context.fill();
  });
  context.globalCompositeOperation = 'source-over';
  context.globalAlpha = 1;
  context.fillStyle = style.color;
  context.font = '11px system-ui, sans-serif';
  context.textAlign = 'center';
  for (let stops = first + 2; stops < last; stops += 2) context.fillText(`${stops > 0 ? '+' : ''}${stops}`, x(stops), height - 3);
  context.fillRect(x(-exposure) - 0.75, 0, 1.5, floor);
}
