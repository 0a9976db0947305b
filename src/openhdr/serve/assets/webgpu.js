// Drawing with WebGPU: values over 1 reach an HDR screen, where the browser composes canvases in extended range.

const SLOT = 256; // bytes of one rectangle's values in the buffer
const MOST = 1024; // rectangles of a frame
const KINDS = ['light', 'codes', 'mask'];
const LOOKS = ['plain', 'stops', 'clipping'];

const SHADER = `
struct Values { place: vec4f, gain: f32, kind: f32, look: f32, unused: f32 }
@group(0) @binding(0) var<uniform> values: Values;
@group(1) @binding(0) var picture: texture_2d<f32>;
@group(1) @binding(1) var reading: sampler;
struct Corner { @builtin(position) position: vec4f, @location(0) at: vec2f }

@vertex fn corner(@builtin(vertex_index) index: u32) -> Corner {
  let at = vec2f(f32(index & 1u), f32(index >> 1u));
  return Corner(vec4f(values.place.xy + at * values.place.zw, 0.0, 1.0), at);
}
fn encoded(light: vec3f) -> vec3f { // IEC 61966-2-1, continued over 1
  let high = 1.055 * pow(max(light, vec3f(1e-8)), vec3f(1.0 / 2.4)) - 0.055;
  return select(high, light * 12.92, light < vec3f(0.0031308));
}
fn decoded(code: vec3f) -> vec3f {
  return select(pow((code + 0.055) / 1.055, vec3f(2.4)), code / 12.92, code < vec3f(0.04045));
}
fn scale(stops: f32) -> vec3f {
  let band = clamp(floor(stops), -12.0, 6.0);
  let place = 0.72 * (6.0 - band) / 18.0;
  let hue = clamp(abs(fract(vec3f(place) + vec3f(0.0, 2.0, 1.0) / 3.0) * 6.0 - 3.0) - 1.0, vec3f(0.0), vec3f(1.0));
  return mix(vec3f(0.16), hue, 0.85) * select(0.72, 0.95, band - 2.0 * floor(band / 2.0) < 0.5);
}
@fragment fn colour(in: Corner) -> @location(0) vec4f {
  let found = textureSample(picture, reading, in.at);
  if (values.kind == 2.0) { return vec4f(0.95, 0.12, 0.35, 1.0) * ((1.0 - found.r) * 0.62); }
  var light = found.rgb * values.gain;
  if (values.kind == 1.0) {
    if (values.gain == 0.0 && values.look == 0.0) { return vec4f(found.rgb, 1.0); }
    light = decoded(found.rgb) * max(values.gain, 1e-9);
  }
  if (values.look == 1.0) {
    let luminance = dot(light, vec3f(0.2126, 0.7152, 0.0722));
    return vec4f(select(vec3f(0.0), scale(log2(max(luminance, 1e-12))), luminance > 0.0), 1.0);
  }
  if (values.look == 2.0) {
    let top = max(light.r, max(light.g, light.b));
    let stripe = step(4.0, (in.position.x + in.position.y) % 8.0);
    var shown = encoded(min(light, vec3f(1.0)));
    if (top > 1.0) { shown = mix(shown, vec3f(1.0, 0.1, 0.1), stripe); }
    if (top < 0.0005) { shown = mix(shown, vec3f(0.15, 0.35, 1.0), stripe); }
    return vec4f(shown, 1.0);
  }
  return vec4f(encoded(light), 1.0);
}`;

const OVER = { operation: 'add', srcFactor: 'one', dstFactor: 'one-minus-src-alpha' };

export class WebgpuRenderer {
  name = 'webgpu';

  /**
   * A renderer for a canvas, or null where light over white would not reach the screen.
   * @param {HTMLCanvasElement} canvas @param {() => void} lost called when the graphics device is gone
   */
  static async create(canvas, lost) {
    const gpu = /** @type {any} */ (navigator).gpu;
    if (!gpu || !matchMedia('(dynamic-range: high)').matches) return null;
    const device = await (await gpu.requestAdapter())?.requestDevice();
    if (!device) return null;
    const trial = WebgpuRenderer.configure(document.createElement('canvas'), device);
    if (trial?.getConfiguration?.()?.toneMapping?.mode !== 'extended') return null;
    device.lost.then(lost);
    return new WebgpuRenderer(canvas, device, WebgpuRenderer.configure(canvas, device));
  }

  /** @param {HTMLCanvasElement} canvas @param {any} device */
  static configure(canvas, device) {
    const context = /** @type {any} */ (canvas.getContext('webgpu'));
    context?.configure({ device, format: 'rgba16float', colorSpace: 'srgb', toneMapping: { mode: 'extended' }, alphaMode: 'opaque' });
    return context;
  }

  /** @param {HTMLCanvasElement} canvas @param {any} device @param {any} context */
  constructor(canvas, device, context) {
    this.canvas = canvas;
    this.device = device;
    this.context = context;
    const module = device.createShaderModule({ code: SHADER });
    const layouts = [
      device.createBindGroupLayout({ entries: [{ binding: 0, visibility: 3, buffer: { hasDynamicOffset: true, minBindingSize: 32 } }] }),
      device.createBindGroupLayout({ entries: [{ binding: 0, visibility: 2, texture: {} }, { binding: 1, visibility: 2, sampler: {} }] }),
    ];
    const layout = device.createPipelineLayout({ bindGroupLayouts: layouts });
    const pipeline = (/** @type {any} */ blend) => device.createRenderPipeline({
      layout, vertex: { module }, primitive: { topology: 'triangle-strip' },
      fragment: { module, targets: [{ format: 'rgba16float', ...(blend && { blend: { color: OVER, alpha: OVER } }) }] },
    });
    this.pipelines = { solid: pipeline(false), over: pipeline(true) };
    this.textures = layouts[1];
    this.buffer = device.createBuffer({ size: SLOT * MOST, usage: 72 }); // uniform, copied to
    this.values = device.createBindGroup({ layout: layouts[0], entries: [{ binding: 0, resource: { buffer: this.buffer, size: 32 } }] });
    this.samplers = ['nearest', 'linear'].map((filter) => device.createSampler({ magFilter: filter, minFilter: filter }));
  }

  /** @param {number} width @param {number} height @param {ArrayBuffer} data RGBA, half floats or bytes */
  upload(width, height, data) {
    const half = data.byteLength === width * height * 8;
    const texture = this.device.createTexture({ size: [width, height], format: half ? 'rgba16float' : 'rgba8unorm', usage: 6 });
    this.device.queue.writeTexture({ texture }, data, { bytesPerRow: width * (half ? 8 : 4) }, [width, height]);
    const groups = this.samplers.map((sampler) => this.device.createBindGroup({
      layout: this.textures, entries: [{ binding: 0, resource: texture.createView() }, { binding: 1, resource: sampler }],
    }));
    return { texture, sharp: groups[0], smooth: groups[1] };
  }

  /** @param {any} tile */
  free(tile) {
    tile.texture.destroy();
  }

  /** @param {import('./webgl.js').Pass[]} passes @param {any} [target] texture to draw on; the canvas where none is given */
  draw(passes, target = this.context.getCurrentTexture()) {
    const { width, height } = target;
    const values = new Float32Array((SLOT / 4) * MOST);
    const encoder = this.device.createCommandEncoder();
    const drawing = encoder.beginRenderPass({
      colorAttachments: [{ view: target.createView(), clearValue: [0.055, 0.06, 0.07, 1], loadOp: 'clear', storeOp: 'store' }],
    });
    let slot = 0;
    for (const pass of passes) {
      const [x, y, w, h] = pass.scissor ?? [0, 0, width, height];
      const [left, right] = [Math.min(Math.max(x, 0), width), Math.min(Math.max(x + w, 0), width)];
      drawing.setScissorRect(left, Math.max(y, 0), right - left, Math.min(h, height));
      drawing.setPipeline(pass.kind === 'mask' ? this.pipelines.over : this.pipelines.solid);
      for (const quad of pass.quads.slice(0, MOST - slot)) {
        values.set([(2 * quad.x) / width - 1, 1 - (2 * quad.y) / height, (2 * quad.width) / width, (-2 * quad.height) / height,
          pass.gain, KINDS.indexOf(pass.kind), LOOKS.indexOf(pass.look)], (slot * SLOT) / 4);
        drawing.setBindGroup(0, this.values, [slot * SLOT]);
        drawing.setBindGroup(1, quad.sharp ? quad.texture.sharp : quad.texture.smooth);
        drawing.draw(4);
        slot += 1;
      }
    }
    drawing.end();
    this.device.queue.writeBuffer(this.buffer, 0, values, 0, Math.max(slot, 1) * (SLOT / 4));
    this.device.queue.submit([encoder.finish()]);
  }
}
