// Tiles of pictures: fetched when they are seen, kept while there is room.

import { ask } from './api.js';

const SIDE = 512;
const ROOM = 320e6; // bytes of textures
const AT_ONCE = 6;

/** @typedef {{ texture: any, bytes: number, used: number, width: number, height: number }} Tile */

export class Tiles {
  /**
   * @param {{ upload: (width: number, height: number, data: ArrayBuffer) => any, free: (texture: any) => void }} renderer
   * @param {() => void} arrived called when a tile can be drawn
   */
  constructor(renderer, arrived) {
    this.renderer = renderer;
    this.arrived = arrived;
    /** @type {Map<string, Tile | 'coming' | 'missing'>} */
    this.known = new Map();
    /** @type {{ key: string, width: number, height: number }[]} */
    this.wanted = [];
    this.coming = 0;
    this.arrivals = 0; // tiles that came, ever
    this.time = 0;
    this.bytes = 0;
  }

  /** Forget what was asked for but not begun; called before a new picture is composed. */
  begin() {
    this.wanted = [];
    this.time += 1;
  }

  /** Fetch what is missing. */
  end() {
    while (this.coming < AT_ONCE && this.wanted.length) {
      const next = this.wanted.shift();
      if (next) this.fetch(next);
    }
    this.shrink();
  }

  /**
   * Rectangles that show a layer: the sharpest tiles that are here over coarser ones.
   * @param {string} result @param {string} layer @param {number[][]} sizes of the layer and its smaller copies
   * @param {{ x: number, y: number, width: number, height: number }} place of the whole picture on the canvas
   * @param {{ width: number, height: number }} canvas
   * @returns {import('./webgl.js').Quad[]}
   */
  quads(result, layer, sizes, place, canvas) {
    let best = 0;
    while (best + 1 < sizes.length && sizes[best + 1][0] >= place.width * 0.9) best += 1;
    const quads = [];
    for (const level of best === sizes.length - 1 ? [best] : [sizes.length - 1, best]) {
      const [width, height] = sizes[level];
      const [sx, sy] = [place.width / width, place.height / height];
      const range = (/** @type {number} */ from, /** @type {number} */ to, /** @type {number} */ scale, /** @type {number} */ all) =>
        [Math.max(Math.floor(from / scale / SIDE), 0), Math.min(Math.ceil(to / scale / SIDE), Math.ceil(all / SIDE))];
      const [left, right] = range(-place.x, canvas.width - place.x, sx, width);
      const [top, bottom] = range(-place.y, canvas.height - place.y, sy, height);
      for (let row = top; row < bottom; row += 1) {
        for (let column = left; column < right; column += 1) {
          const [w, h] = [Math.min(SIDE, width - column * SIDE), Math.min(SIDE, height - row * SIDE)];
          const tile = this.tile(`${result}/${layer}/${level}/${column}/${row}`, w, h);
          if (!tile) continue;
          const [x, y] = [Math.round(place.x + column * SIDE * sx), Math.round(place.y + row * SIDE * sy)];
          quads.push({
            texture: tile.texture, x, y, sharp: sx >= 2,
            width: Math.round(place.x + (column * SIDE + w) * sx) - x, height: Math.round(place.y + (row * SIDE + h) * sy) - y,
          });
        }
      }
    }
    return quads;
  }

  /** @param {string} key @param {number} width @param {number} height @returns {Tile | null} */
  tile(key, width, height) {
    const known = this.known.get(key);
    if (known === undefined) this.wanted.push({ key, width, height });
    if (known === undefined || typeof known === 'string') return null;
    known.used = this.time;
    return known;
  }

  /** @param {{ key: string, width: number, height: number }} wanted */
  async fetch({ key, width, height }) {
    this.known.set(key, 'coming');
    this.coming += 1;
    try {
      const data = await (await ask(`/api/results/${key}`)).arrayBuffer();
      this.known.set(key, { texture: this.renderer.upload(width, height, data), bytes: data.byteLength, used: this.time, width, height });
      this.bytes += data.byteLength;
    } catch {
      this.known.set(key, 'missing'); // of a result that has been replaced
    } finally {
      this.coming -= 1;
      this.arrivals += 1;
      this.arrived();
    }
  }

  /** Free what was not used for longest. */
  shrink() {
    if (this.bytes < ROOM) return;
    const old = [...this.known].filter(([, one]) => typeof one !== 'string' && one.used < this.time);
    old.sort(([, a], [, b]) => /** @type {Tile} */ (a).used - /** @type {Tile} */ (b).used);
    for (const [key, tile] of old) {
      if (this.bytes < 0.7 * ROOM) break;
      this.renderer.free(/** @type {Tile} */ (tile).texture);
      this.bytes -= /** @type {Tile} */ (tile).bytes;
      this.known.delete(key);
    }
  }
}
