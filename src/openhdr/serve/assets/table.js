// Light at an exposure without a graphics card: half floats have 31,744 values that are not negative, so a table says what
// each looks like, and a change of exposure is a look-up for each value of the view.

const HALVES = 0x7c00; // bits of infinity: one more than those of the largest half float

export class TableView {
  /** @param {HTMLCanvasElement} canvas that is laid over the one for all else */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    this.light = new Float32Array(HALVES);
    this.root = new Float32Array(HALVES); // light^(1/2.4): a factor on the light is one on it, too
    for (let bits = 0; bits < HALVES; bits += 1) {
      const [exponent, fraction] = [bits >> 10, bits & 1023];
      this.light[bits] = exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : fraction * 2 ** -24;
      this.root[bits] = this.light[bits] ** (1 / 2.4);
    }
    this.codes = new Uint8Array(0x10000); // negative light, and what is no number, stays black
    this.key = '';
  }

  /**
   * Keep a part of the view. halves: RGBA of half floats, its lowest row first, as WebGL reads them.
   * @param {string} key @param {Uint16Array} halves @param {{ x: number, y: number, width: number, height: number }} part
   */
  keep(key, halves, part) {
    Object.assign(this, { key, halves, part, image: new ImageData(part.width, part.height) });
  }

  /** @param {number} width @param {number} height of the view @param {number} gain factor on the light */
  draw(width, height, gain) {
    const { codes, light, root, canvas } = this;
    const power = 1.055 * gain ** (1 / 2.4);
    for (let bits = 0; bits < HALVES; bits += 1) { // IEC 61966-2-1
      const value = light[bits] * gain;
      codes[bits] = Math.min(255 * (value <= 0.0031308 ? 12.92 * value : power * root[bits] - 0.055) + 0.5, 255);
    }
    const { halves, part, image } = /** @type {{ halves: Uint16Array, part: any, image: ImageData }} */ (/** @type {any} */ (this));
    const pixels = new Uint32Array(image.data.buffer);
    for (let row = 0; row < part.height; row += 1) {
      let from = (part.height - 1 - row) * part.width * 4;
      for (let to = row * part.width, end = to + part.width; to < end; to += 1, from += 4) {
        pixels[to] = 0xff000000 | (codes[halves[from + 2]] << 16) | (codes[halves[from + 1]] << 8) | codes[halves[from]];
      }
    }
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    this.context.putImageData(image, part.x, part.y);
  }
}
