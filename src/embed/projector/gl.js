// WebGL: points in one call, thumbnails in one call a sheet. A point that is hidden leaves the picture by its own flag,
// never by its place in a list: a thumbnail cannot become another point's.
const canvas = cs.at("points");
const gl = canvas.getContext("webgl2", { alpha: false, antialias: true });
const HIDDEN = 0, FAINT = 85, PLAIN = 170, MARKED = 225, FOCUS = 255;
window.__stats = { draws: 0, ms: 0, points: n };

const PLACE = `#version 300 es
precision highp float;
layout(location = 0) in vec3 from;
layout(location = 1) in vec3 to;
layout(location = 2) in vec4 ink;
uniform float t, deep, near, size;
uniform mat3 turn;
uniform vec3 target, paper;
uniform vec2 scale;
out vec3 colour;
out float faint;
vec4 place() {
  vec3 p = mix(from, to, t) - target;
  p.z *= deep;
  p = turn * p;
  float w = 1.0 - near * p.z;
  bool marked = ink.a > 0.8;
  bool quiet = ink.a < 0.5;
  faint = quiet ? 0.84 : marked ? 0.0 : near > 0.0 ? clamp(-0.3 * p.z, 0.0, 0.5) : 0.0;
  colour = mix(ink.rgb, paper, faint);
  if (ink.a < 0.1 || w < 0.05) return vec4(2.0, 2.0, 2.0, 1.0);
  // The marked lie before all others, the faint behind.
  float depth = ink.a > 0.95 ? -0.98 : clamp(-0.1 * p.z, -0.3, 0.3) + (marked ? -0.65 : quiet ? 0.65 : 0.0);
  return vec4(p.xy * scale, depth * w, w);
}
`;
const DOT = PLACE + `
out float wide;
void main() {
  gl_Position = place();
  wide = max(1.5, size * (ink.a > 0.8 ? 1.5 : 1.0) / gl_Position.w);
  gl_PointSize = wide + 1.0;
}`;
const DOT_INK = `#version 300 es
precision highp float;
in vec3 colour;
in float faint, wide;
out vec4 ink;
void main() {
  float r = length(gl_PointCoord - 0.5) * (wide + 1.0);
  float alpha = clamp(0.5 * wide + 0.5 - r, 0.0, 1.0);
  if (alpha < 0.1) discard;
  ink = vec4(colour * alpha, alpha);
}`;
const PHOTO = PLACE + `
layout(location = 3) in vec2 extent;
uniform vec2 view;
uniform float cell, columns;
out vec2 inside, whole;
flat out vec2 first, last;
void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  vec4 at = place();
  whole = extent / max(extent.x, extent.y) * max(4.0, size * (ink.a > 0.8 ? 1.25 : 1.0) / at.w);
  inside = corner * whole;
  at.xy += (corner - 0.5) * 2.0 * whole / view * at.w;
  gl_Position = at;
  float i = float(gl_InstanceID);
  float row = floor((i + 0.5) / columns);
  first = vec2(i - row * columns, row) * cell;
  last = extent;
}`;
const PHOTO_INK = `#version 300 es
precision highp float;
in vec3 colour;
in float faint;
in vec2 inside, whole;
flat in vec2 first, last;
uniform sampler2D sheet;
uniform vec3 paper;
uniform float border;
out vec4 ink;
void main() {
  vec2 edge = min(inside, whole - inside);
  vec2 at = vec2(inside.x, whole.y - inside.y) / whole * last;
  vec4 texel = texture(sheet, (first + clamp(at, vec2(0.5), last - 0.5)) / vec2(textureSize(sheet, 0)));
  ink = vec4(min(edge.x, edge.y) < border ? colour : mix(texel.rgb, paper, faint), 1.0);
}`;

function program(vertex, fragment) {
  const p = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const s = gl.createShader(kind);
    gl.shaderSource(s, text);
    gl.compileShader(s);
    gl.attachShader(p, s);
  }
  gl.linkProgram(p);
  if (!gl.getProgramParameter(p, gl.LINK_STATUS) && !gl.isContextLost()) throw new Error(gl.getProgramInfoLog(p));
  const at = {};
  for (let i = 0; i < gl.getProgramParameter(p, gl.ACTIVE_UNIFORMS); i++) {
    const { name } = gl.getActiveUniform(p, i);
    at[name] = gl.getUniformLocation(p, name);
  }
  return { p, at };
}

let graphics = null;
const inks = new Uint8Array(4 * n);
let pointsFrom = null, pointsTo = null;

// Everything on the card; again when the browser has lost it.
function startGraphics() {
  const buffer = (data) => {
    const b = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, b);
    gl.bufferData(gl.ARRAY_BUFFER, data, gl.DYNAMIC_DRAW);
    return b;
  };
  graphics = {
    dot: program(DOT, DOT_INK), photo: program(PHOTO, PHOTO_INK), textures: [],
    from: buffer(pointsFrom), to: buffer(pointsTo), ink: buffer(inks), extent: buffer(extents),
  };
  gl.enable(gl.DEPTH_TEST);
  gl.depthFunc(gl.LEQUAL);
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  for (let i = 0; i < 4; i++) gl.enableVertexAttribArray(i);
  bitmaps.forEach(texture);
}

function texture(bitmap) {
  const t = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, t);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, bitmap);
  graphics.textures.push(t);
}

function upload(name, data) {
  if (!graphics) return;
  gl.bindBuffer(gl.ARRAY_BUFFER, graphics[name]);
  gl.bufferSubData(gl.ARRAY_BUFFER, 0, data);
}

// Attributes of the points from `first` on; each moves once a vertex or once an instance.
function attributes(first, step) {
  const g = graphics;
  for (const [at, b, count, kind, whole, stride] of [
    [0, g.from, 3, gl.FLOAT, false, 12], [1, g.to, 3, gl.FLOAT, false, 12],
    [2, g.ink, 4, gl.UNSIGNED_BYTE, true, 4], [3, hasThumbnails ? g.extent : g.ink, 2, gl.UNSIGNED_BYTE, false, hasThumbnails ? 2 : 4],
  ]) {
    gl.bindBuffer(gl.ARRAY_BUFFER, b);
    gl.vertexAttribPointer(at, count, kind, whole, stride, first * stride);
    gl.vertexAttribDivisor(at, step);
  }
}

function paint(view, pictures, size) {
  if (!graphics) return 0;
  let draws = 0;
  const paper = getComputedStyle(canvas.parentElement).backgroundColor.match(/\d+/g).slice(0, 3).map((v) => v / 255);
  gl.viewport(0, 0, canvas.width, canvas.height);
  gl.clearColor(...paper, 1);
  gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
  const dpr = canvas.width / view.width;
  const { p, at } = pictures ? graphics.photo : graphics.dot;
  gl.useProgram(p);
  gl.uniform1f(at.t, view.t);
  gl.uniform1f(at.deep, view.deep);
  gl.uniform1f(at.near, view.near);
  gl.uniform1f(at.size, size * dpr);
  gl.uniformMatrix3fv(at.turn, true, view.turn);
  gl.uniform3fv(at.target, view.target);
  gl.uniform3fv(at.paper, paper);
  gl.uniform2f(at.scale, 2 * view.scale / view.width, 2 * view.scale / view.height);
  if (pictures) {
    const s = about.sheets;
    gl.uniform2f(at.view, canvas.width, canvas.height);
    gl.uniform1f(at.cell, s.cell);
    gl.uniform1f(at.columns, s.columns);
    gl.uniform1f(at.border, Math.min(2.5, Math.max(1, 0.07 * size)) * dpr);
    graphics.textures.forEach((t, i) => {
      gl.bindTexture(gl.TEXTURE_2D, t);
      attributes(i * s.per, 1);
      gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, Math.min(s.per, n - i * s.per));
      draws++;
    });
  } else {
    attributes(0, 0);
    gl.drawArrays(gl.POINTS, 0, n);
    draws++;
  }
  return draws;
}
