// Where one looks from; where points are on the screen; what moves.
const look = { target: [0, 0, 0], zoom: 1, yaw: 0, pitch: 0, deep: 0, t: 1 };
const now = { map: 0, axes: [0, 1, 2], three: false, pictures: about.pictures, size: 6, colouring: null, off: new Set(),
  focus: -1, lasso: null, found: null, hover: -1 };
const still = matchMedia("(prefers-reduced-motion: reduce)");
let dirty = false, grid = null;

function view() {
  const width = canvas.clientWidth || 1, height = canvas.clientHeight || 1;
  const [cy, sy, cp, sp] = [Math.cos(look.yaw), Math.sin(look.yaw), Math.cos(look.pitch), Math.sin(look.pitch)];
  return {
    width, height, turn: [cy, 0, sy, sp * sy, cp, -sp * cy, -cp * sy, sp, cp * cy], target: look.target, deep: look.deep, t: look.t,
    near: look.deep > 0 ? 0.35 * look.deep * Math.sqrt(Math.max(1, look.zoom)) : 0,
    scale: look.zoom * Math.min(width, height) * (0.44 - 0.12 * look.deep),
  };
}

// Screen places of all points: x, y, w. Points out of sight have w 0.
function project() {
  const v = view();
  const [a, b, c, d, e, f, g, h, k] = v.turn;
  const [tx, ty, tz] = v.target;
  const out = new Float32Array(3 * n);
  for (let i = 0; i < n; i++) {
    const at = 3 * i;
    if (inks[4 * i + 3] === HIDDEN) continue;
    const x = pointsFrom[at] + (pointsTo[at] - pointsFrom[at]) * v.t - tx;
    const y = pointsFrom[at + 1] + (pointsTo[at + 1] - pointsFrom[at + 1]) * v.t - ty;
    const z = (pointsFrom[at + 2] + (pointsTo[at + 2] - pointsFrom[at + 2]) * v.t - tz) * v.deep;
    const w = 1 - v.near * (g * x + h * y + k * z);
    if (w < 0.05) continue;
    out[at] = v.width / 2 + (a * x + b * y + c * z) * v.scale / w;
    out[at + 1] = v.height / 2 - (d * x + e * y + f * z) * v.scale / w;
    out[at + 2] = w;
  }
  return out;
}

// Points by patches of the screen, so that the one under the mouse is found among few.
const PATCH = 16;
function patches() {
  if (grid) return grid;
  const at = project();
  const wide = Math.ceil(canvas.clientWidth / PATCH), high = Math.ceil(canvas.clientHeight / PATCH);
  const begin = new Uint32Array(wide * high + 1);
  const patch = new Int32Array(n).fill(-1);
  for (let i = 0; i < n; i++) {
    const x = Math.floor(at[3 * i] / PATCH), y = Math.floor(at[3 * i + 1] / PATCH);
    if (at[3 * i + 2] <= 0 || x < 0 || y < 0 || x >= wide || y >= high) continue;
    patch[i] = y * wide + x;
    begin[patch[i] + 1]++;
  }
  for (let p = 0; p < wide * high; p++) begin[p + 1] += begin[p];
  const next = begin.slice();
  const order = new Uint32Array(begin[wide * high]);
  for (let i = 0; i < n; i++) if (patch[i] >= 0) order[next[patch[i]]++] = i;
  grid = { at, wide, high, begin, order };
  return grid;
}

// The point at a place of the stage; −1: none. Of several, the one that is drawn on top.
function pick(x, y) {
  const { at, wide, high, begin, order } = patches();
  const biggest = now.pictures ? now.size : now.size / 2 + 4;
  const reach = Math.ceil((look.deep > 0 ? 2 : 1) * biggest / PATCH);
  let best = -1, least = Infinity;
  const px = Math.floor(x / PATCH), py = Math.floor(y / PATCH);
  for (let r = Math.max(0, py - reach); r <= Math.min(high - 1, py + reach); r++) {
    for (let c = Math.max(0, px - reach); c <= Math.min(wide - 1, px + reach); c++) {
      for (let o = begin[r * wide + c]; o < begin[r * wide + c + 1]; o++) {
        const i = order[o], w = at[3 * i + 2], dx = Math.abs(at[3 * i] - x), dy = Math.abs(at[3 * i + 1] - y);
        const state = inks[4 * i + 3];
        let rank;
        if (now.pictures) {
          const grown = now.size * (state >= MARKED ? 1.25 : 1) / w / Math.max(extents[2 * i], extents[2 * i + 1]) / 2;
          if (dx > extents[2 * i] * grown || dy > extents[2 * i + 1] * grown) continue;
          // Marked first, then the nearest, then the last.
          rank = -state * 10 + w - i * 1e-9;
        } else {
          const d = Math.hypot(dx, dy);
          if (d > now.size * (state >= MARKED ? 1.5 : 1) / w / 2 + 4) continue;
          rank = -state * 100 + d + w - i * 1e-9;
        }
        if (rank < least) [least, best] = [rank, i];
      }
    }
  }
  return best;
}

function redraw() {
  grid = null;
  if (dirty) return;
  dirty = true;
  requestAnimationFrame(() => {
    dirty = false;
    const begin = performance.now();
    fit();
    const draws = paint(view(), now.pictures, now.size);
    overlay();
    window.__stats = { draws, ms: performance.now() - begin, points: n };
  });
}

// Canvases as large as they are shown.
function fit() {
  const dpr = Math.min(2, devicePixelRatio || 1);
  for (const c of [canvas, cs.at("over")]) {
    const w = Math.max(1, Math.round(canvas.clientWidth * dpr)), h = Math.max(1, Math.round(canvas.clientHeight * dpr));
    if (c.width !== w || c.height !== h) [c.width, c.height] = [w, h];
  }
}

// One point on the stage, wherever it is drawn.
function screen(i) {
  const at = patches().at;
  return [at[3 * i], at[3 * i + 1], at[3 * i + 2]];
}

// Lines to neighbours, a ring about the point, the lasso.
function overlay() {
  const c = cs.at("over"), pen = c.getContext("2d");
  const style = getComputedStyle(document.body);
  // Hidden where there is nothing to draw: Chromium may go on showing a canvas that was cleared and nothing else.
  c.hidden = now.focus < 0 && !now.drawing;
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.clearRect(0, 0, c.width, c.height);
  pen.scale(c.width / canvas.clientWidth, c.height / canvas.clientHeight);
  const half = (w) => now.pictures ? now.size * 0.75 / w + 2 : now.size * 0.75 / w + 3;
  if (now.focus >= 0) {
    const [x, y, w] = screen(now.focus);
    pen.strokeStyle = style.color;
    if (w > 0) {
      pen.globalAlpha = 0.35;
      pen.lineWidth = 1;
      for (const { i } of neighbours(now.focus)) {
        const [a, b, v] = screen(i);
        if (v > 0) { pen.beginPath(); pen.moveTo(x, y); pen.lineTo(a, b); pen.stroke(); }
      }
      pen.globalAlpha = 1;
      pen.lineWidth = 2;
      pen.beginPath();
      pen.arc(x, y, half(w), 0, 7);
      pen.stroke();
    }
  }
  if (now.drawing && now.drawing.length > 1) {
    pen.beginPath();
    now.drawing.forEach(([x, y], k) => (k ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    pen.closePath();
    pen.globalAlpha = 0.12;
    pen.fillStyle = style.color;
    pen.fill();
    pen.globalAlpha = 1;
    pen.lineWidth = 1.5;
    pen.setLineDash([5, 4]);
    pen.strokeStyle = style.color;
    pen.stroke();
    pen.setLineDash([]);
  }
}

// Moves numbers of the look to others.
let motion = 0;
function move(to, ms) {
  const mine = ++motion;
  const from = {};
  for (const key in to) from[key] = look[key];
  const begin = performance.now();
  const long = still.matches ? 0 : ms;
  return new Promise((done) => {
    const step = (time) => {
      if (mine !== motion) return done();
      const s = long ? Math.min(1, Math.max(0, (time - begin) / long)) : 1;
      const e = s * s * (3 - 2 * s);
      for (const key in to) {
        look[key] = s === 1 ? to[key] : Array.isArray(to[key]) ? to[key].map((v, c) => from[key][c] + (v - from[key][c]) * e) : from[key] + (to[key] - from[key]) * e;
      }
      redraw();
      if (s < 1) requestAnimationFrame(step); else done();
    };
    step(begin);
  });
}

// The resting place of all that move() moves: a motion cut short is finished at once.
function rest(more) {
  const turned = now.three ? { yaw: look.deep > 0 && !more ? look.yaw : -0.6, pitch: look.deep > 0 && !more ? look.pitch : 0.35, deep: 1 } : { yaw: 0, pitch: 0, deep: 0 };
  return { t: 1, ...turned, ...(more || {}) };
}

// Passes to a map and its axes.
function show(map, axes) {
  const next = places(maps[map], axes);
  const t = look.t;
  for (let i = 0; i < pointsTo.length; i++) pointsFrom[i] += (pointsTo[i] - pointsFrom[i]) * t;
  pointsTo = next;
  [now.map, now.axes] = [map, axes];
  upload("from", pointsFrom);
  upload("to", pointsTo);
  look.t = 0;
  return move(rest(), 900);
}
