// Drawing with WebGL2: every browser has it, and shows the standard range.

import { TableView } from './table.js';

/**
 * A textured rectangle. x, y, width, height: pixels of the canvas, from its top left corner.
 * @typedef {{ texture: any, x: number, y: number, width: number, height: number, sharp: boolean }} Quad
 *
 * Rectangles that are drawn alike. scissor: part of the canvas, as a rectangle; null = all. kind: `light` is linear,
 * `codes` are ready for a screen, `mask` is white where a frame counts. look: `plain`, `stops` (false colour) or
 * `clipping` (what is over white, or under black, is marked). gain: factor on the light; 0 = codes as they are.
 * @typedef {{ scissor: number[] | null, kind: string, look: string, gain: number, quads: Quad[] }} Pass
 */

const VERTEX = `#version 300 es
uniform vec4 place; // x, y, width, height in clip space
out vec2 at;
void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  at = corner;
  gl_Position = vec4(place.xy + corner * place.zw, 0, 1);
}`;

const FRAGMENT = `
precision highp float;
uniform highp sampler2D picture;
uniform float gain;
in vec2 at;
out vec4 colour;

vec3 encoded(vec3 light) { // IEC 61966-2-1
  vec3 high = 1.055 * pow(max(light, vec3(1e-8)), vec3(1.0 / 2.4)) - 0.055;
  return mix(high, light * 12.92, lessThan(light, vec3(0.0031308)));
}
vec3 decoded(vec3 code) {
  vec3 high = pow((code + 0.055) / 1.055, vec3(2.4));
  return mix(high, code / 12.92, lessThan(code, vec3(0.04045)));
}
vec3 scale(float stops) { // false colour: a flat colour for each stop from -12 to +6, every other one darker
  float band = clamp(floor(stops), -12.0, 6.0);
  float place = 0.72 * (6.0 - band) / 18.0;
  vec3 hue = clamp(abs(fract(vec3(place) + vec3(0.0, 2.0, 1.0) / 3.0) * 6.0 - 3.0) - 1.0, 0.0, 1.0);
  return mix(vec3(0.16), hue, 0.85) * (mod(band, 2.0) < 0.5 ? 0.95 : 0.72);
}
void main() {
  vec4 found = texture(picture, at);
#if KIND == 2
  colour = vec4(0.95, 0.12, 0.35, 1.0) * ((1.0 - found.r) * 0.62);
#else
  #if KIND == 1
    vec3 light = gain > 0.0 || LOOK > 0 ? decoded(found.rgb) * max(gain, 1e-9) : found.rgb;
  #else
    vec3 light = found.rgb * gain;
  #endif
  #if LOOK == 3
    colour = vec4(max(light, vec3(0.0)), 1.0);
  #elif LOOK == 1
    float luminance = dot(light, vec3(0.2126, 0.7152, 0.0722));
    colour = vec4(luminance > 0.0 ? scale(log2(luminance)) : vec3(0.0), 1.0);
  #elif LOOK == 2
    float top = max(light.r, max(light.g, light.b));
    float stripe = step(4.0, mod(gl_FragCoord.x + gl_FragCoord.y, 8.0));
    vec3 shown = encoded(min(light, vec3(1.0)));
    shown = top > 1.0 ? mix(shown, vec3(1.0, 0.1, 0.1), stripe) : shown;
    shown = top < 0.0005 ? mix(shown, vec3(0.15, 0.35, 1.0), stripe) : shown;
    colour = vec4(shown, 1.0);
  #elif KIND == 1
    colour = vec4(gain > 0.0 ? encoded(min(light, vec3(1.0))) : light, 1.0);
  #else
    colour = vec4(encoded(min(light, vec3(1.0))), 1.0);
  #endif
#endif
}`;

const KINDS = ['light', 'codes', 'mask'];
const LOOKS = ['plain', 'stops', 'clipping', 'linear'];
const PROGRAMS = /swiftshader|llvmpipe|softpipe|software|basic render/i; // that draw for want of a graphics card

/** The part of the canvas that rectangles cover. @param {Quad[]} quads @param {number} width @param {number} height */
function bounds(quads, width, height) {
  const x = Math.max(Math.min(...quads.map((one) => one.x)), 0);
  const y = Math.max(Math.min(...quads.map((one) => one.y)), 0);
  const right = Math.min(Math.max(...quads.map((one) => one.x + one.width)), width);
  const bottom = Math.min(Math.max(...quads.map((one) => one.y + one.height)), height);
  return { x, y, width: Math.max(right - x, 0), height: Math.max(bottom - y, 0) };
}

export class WebglRenderer {
  name = 'webgl';

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    const gl = canvas.getContext('webgl2', { alpha: false, antialias: false });
    if (!gl) throw new Error('this browser has no WebGL2');
    this.gl = gl;
    /** @type {Map<string, { program: WebGLProgram, place: WebGLUniformLocation | null, gain: WebGLUniformLocation | null }>} */
    this.programs = new Map();
    gl.bindVertexArray(gl.createVertexArray());
    const facts = gl.getExtension('WEBGL_debug_renderer_info');
    const slow = PROGRAMS.test(gl.getParameter(facts ? facts.UNMASKED_RENDERER_WEBGL : gl.RENDERER)) && gl.getExtension('EXT_color_buffer_float');
    this.table = slow ? new TableView(/** @type {HTMLCanvasElement} */ (document.getElementById('table'))) : null;
    this.last = '';
    /** @type {Map<WebGLTexture, number>} */
    this.numbers = new Map();
    this.count = 0;
  }

  /**
   * @param {number} width @param {number} height @param {ArrayBuffer} data RGBA, half floats or bytes
   */
  upload(width, height, data) {
    const { gl } = this;
    const texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, texture);
    if (data.byteLength === width * height * 8) {
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA16F, width, height, 0, gl.RGBA, gl.HALF_FLOAT, new Uint16Array(data));
    } else {
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, width, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(data));
    }
    this.numbers.set(texture, this.count += 1);
    for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, side, gl.CLAMP_TO_EDGE);
    return texture;
  }

  /** @param {any} texture */
  free(texture) {
    this.numbers.delete(texture);
    this.gl.deleteTexture(texture);
  }

  /** @param {Pass[]} passes */
  draw(passes) {
    const { gl, table } = this;
    const { width, height } = this.canvas;
    const [first] = passes;
    const light = passes.length === 1 && first.kind === 'light' && first.look === 'plain' && first.quads.length > 0;
    if (table) table.canvas.hidden = !(light && this.tabled(table, first));
    if (table && !table.canvas.hidden) {
      table.draw(width, height, first.gain);
      return;
    }
    gl.viewport(0, 0, width, height);
    gl.disable(gl.SCISSOR_TEST);
    gl.clearColor(0.055, 0.06, 0.07, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    this.paint(passes);
  }

  /**
   * Whether the table holds the light of a pass; it takes it when it is seen for the second time, because a picture that
   * is being moved is drawn more quickly than it is read back.
   * @param {TableView} table @param {Pass} pass
   */
  tabled(table, pass) {
    const { gl } = this;
    const { width, height } = this.canvas;
    const key = JSON.stringify([width, height, ...pass.quads.map((one) => [this.numbers.get(one.texture), one.x, one.y, one.width, one.height])]);
    const again = key === this.last;
    this.last = key;
    if (!again || table.key === key) return again;
    const part = bounds(pass.quads, width, height);
    const [texture, frame] = [gl.createTexture(), gl.createFramebuffer()];
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA16F, width, height);
    gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
    gl.viewport(0, 0, width, height);
    this.paint([{ ...pass, scissor: null, look: 'linear', gain: 1 }]);
    const halves = new Uint16Array(part.width * part.height * 4);
    gl.readPixels(part.x, height - part.y - part.height, part.width, part.height, gl.RGBA, gl.HALF_FLOAT, halves);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.deleteFramebuffer(frame);
    gl.deleteTexture(texture);
    table.keep(key, halves, part);
    return true;
  }

  /** @param {Pass[]} passes */
  paint(passes) {
    const { gl } = this;
    const { width, height } = this.canvas;
    for (const pass of passes) {
      const program = this.program(pass);
      gl.useProgram(program.program);
      gl.uniform1f(program.gain, pass.gain);
      if (pass.scissor) {
        const [x, y, w, h] = pass.scissor;
        gl.enable(gl.SCISSOR_TEST);
        gl.scissor(x, height - y - h, w, h);
      } else {
        gl.disable(gl.SCISSOR_TEST);
      }
      if (pass.kind === 'mask') {
        gl.enable(gl.BLEND);
        gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
      } else {
        gl.disable(gl.BLEND);
      }
      for (const quad of pass.quads) {
        gl.bindTexture(gl.TEXTURE_2D, quad.texture);
        const filter = quad.sharp ? gl.NEAREST : gl.LINEAR;
        gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, filter);
        gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, filter);
        gl.uniform4f(program.place, (2 * quad.x) / width - 1, 1 - (2 * quad.y) / height, (2 * quad.width) / width, (-2 * quad.height) / height);
        gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
      }
    }
  }

  /** @param {Pass} pass the program of its kind and look */
  program(pass) {
    const name = `${pass.kind} ${pass.look}`;
    const known = this.programs.get(name);
    if (known) return known;
    const { gl } = this;
    const head = `#version 300 es\n#define KIND ${KINDS.indexOf(pass.kind)}\n#define LOOK ${LOOKS.indexOf(pass.look)}\n`;
    const program = gl.createProgram();
    for (const [type, text] of /** @type {[number, string][]} */ ([[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, head + FRAGMENT]])) {
      const shader = gl.createShader(type);
      if (!shader) throw new Error('the graphics context is lost');
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader) ?? 'shader');
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    const made = { program, place: gl.getUniformLocation(program, 'place'), gain: gl.getUniformLocation(program, 'gain') };
    this.programs.set(name, made);
    return made;
  }
}
