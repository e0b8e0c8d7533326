// Pointer, keys and controls; the beginning.

const pressed = new Map();
let gesture = null, lassoOn = false;

function turnInverse(x, y) {
  const m = view().turn;
  return [m[0] * x + m[3] * y, m[1] * x + m[4] * y, look.deep > 0.5 ? m[2] * x + m[5] * y : 0];
}
function pan(dx, dy) {
  const s = view().scale;
  const by = turnInverse(-dx / s, dy / s);
  look.target = look.target.map((v, c) => v + by[c]);
  redraw();
}
function zoom(factor, x, y) {
  const dx = x - canvas.clientWidth / 2, dy = y - canvas.clientHeight / 2;
  const to = Math.min(5000, Math.max(0.2, look.zoom * factor));
  const f = to / look.zoom;
  // What is under the pointer stays there.
  pan(-dx, -dy);
  look.zoom = to;
  pan(dx, dy);
  return f;
}
function orbit(dx, dy) {
  look.yaw += dx * 0.008;
  look.pitch = Math.min(Math.PI / 2, Math.max(-Math.PI / 2, look.pitch + dy * 0.008));
  redraw();
}
const place = (e) => {
  const r = canvas.getBoundingClientRect();
  return [e.clientX - r.x, e.clientY - r.y];
};

// A hand on the look ends its motion, at its end.
function take() {
  motion++;
  if (look.t < 1 || look.deep !== Number(now.three)) Object.assign(look, rest());
}

canvas.addEventListener("pointerdown", (e) => {
  const at = place(e);
  canvas.setPointerCapture(e.pointerId);
  pressed.set(e.pointerId, at);
  take();
  hover(-1);
  if (pressed.size === 2) {
    gesture = { kind: "pinch" };
    now.drawing = null;
    return redraw();
  }
  const away = e.button !== 0 || e.ctrlKey || e.metaKey || e.altKey;
  const kind = (lassoOn || e.shiftKey) && e.button === 0 ? "lasso" : now.three && !away ? "orbit" : "pan";
  gesture = { kind, begin: at, moved: false };
  if (kind === "lasso") now.drawing = [at];
});
canvas.addEventListener("pointermove", (e) => {
  const at = place(e);
  const before = pressed.get(e.pointerId);
  if (!before || !gesture) {
    if (e.pointerType !== "touch") hover(pick(...at), ...at);
    return;
  }
  const [dx, dy] = [at[0] - before[0], at[1] - before[1]];
  if (gesture.kind === "pinch") {
    const other = [...pressed].find(([id]) => id !== e.pointerId)[1];
    const far = (p) => Math.max(10, Math.hypot(p[0] - other[0], p[1] - other[1]));
    zoom(far(at) / far(before), (at[0] + other[0]) / 2, (at[1] + other[1]) / 2);
    pan(dx / 2, dy / 2);
    pressed.set(e.pointerId, at);
    return;
  }
  if (!gesture.moved && Math.hypot(at[0] - gesture.begin[0], at[1] - gesture.begin[1]) < 4) return;
  gesture.moved = true;
  pressed.set(e.pointerId, at);
  if (gesture.kind === "lasso") now.drawing.push(at);
  if (gesture.kind === "orbit") orbit(dx, dy);
  if (gesture.kind === "pan") pan(dx, dy);
  redraw();
});
function letGo(e) {
  pressed.delete(e.pointerId);
  if (!gesture) return;
  const { kind, moved } = gesture;
  if (kind === "pinch" && pressed.size) return;
  gesture = null;
  const line = now.drawing;
  now.drawing = null;
  if (e.type === "pointercancel" || kind === "pinch") return redraw();
  if (!moved) return focusOn(pick(...place(e)));
  if (kind === "lasso") {
    lassoed(within(line));
    lassoMode(false);
  }
}
canvas.addEventListener("pointerup", letGo);
canvas.addEventListener("pointercancel", letGo);
canvas.addEventListener("pointerleave", () => hover(-1));
canvas.addEventListener("contextmenu", (e) => e.preventDefault());
canvas.addEventListener("wheel", (e) => {
  e.preventDefault();
  take();
  hover(-1);
  zoom(Math.exp(-e.deltaY * (e.deltaMode ? 0.05 : 0.0018)), ...place(e));
}, { passive: false });
canvas.addEventListener("keydown", (e) => {
  const go = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[e.key];
  const middle = [canvas.clientWidth / 2, canvas.clientHeight / 2];
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  if (go) { take(); if (now.three && !e.shiftKey) orbit(-10 * go[0], -10 * go[1]); else pan(40 * go[0], 40 * go[1]); }
  else if (e.key === "+" || e.key === "=") zoom(1.25, ...middle);
  else if (e.key === "-") zoom(0.8, ...middle);
  else if (e.key === "0" || e.key === "Home") home();
  else return;
  e.preventDefault();
});
document.addEventListener("keydown", (e) => {
  if (e.key !== "Escape") return;
  lassoMode(false);
  if (now.focus >= 0) focusOn(-1); else lassoed(null);
});

// Shown points inside a closed line.
function within(line) {
  const { at } = patches();
  const out = new Set();
  for (let i = 0; i < n; i++) {
    if (at[3 * i + 2] <= 0) continue;
    const x = at[3 * i], y = at[3 * i + 1];
    let inside = false;
    for (let a = 0, b = line.length - 1; a < line.length; b = a++) {
      const [ax, ay] = line[a], [bx, by] = line[b];
      if (ay > y !== by > y && x < (bx - ax) * (y - ay) / (by - ay) + ax) inside = !inside;
    }
    if (inside) out.add(i);
  }
  return out;
}

function lassoMode(on) {
  lassoOn = on;
  cs.at("lasso").setAttribute("aria-pressed", String(on));
  canvas.classList.toggle("lassoing", on);
}
const home = () => move(rest({ target: [0, 0, 0], zoom: 1 }), 500);
const pressedIf = (id, on) => cs.at(id).setAttribute("aria-pressed", String(on));

function tip() {
  pressedIf("two", !now.three);
  pressedIf("three", now.three);
  pressedIf("dots", !now.pictures);
  pressedIf("pictures", now.pictures);
  cs.at("axis2").hidden = !now.three;
  cs.at("tip").textContent = (now.three ? "Drag to turn, right button to move" : "Drag to move") + ", wheel to zoom, click for neighbours, Shift and drag to choose";
}
function setThree(on) {
  now.three = on;
  tip();
  return move(rest({ target: [0, 0, 0], zoom: 1 }), 800);
}
function setPictures(on) {
  now.pictures = on && hasThumbnails;
  now.size = now.pictures ? (n <= 300 ? 40 : n <= 5000 ? 28 : 16) : n <= 500 ? 9 : n <= 5000 ? 6 : n <= 50000 ? 4 : 2.5;
  if (now.pictures) now.size = Math.round(now.size * Math.min(1, Math.min(canvas.clientWidth, canvas.clientHeight) / 700));
  cs.at("size").value = now.size;
  tip();
  redraw();
}
function setMap(i) {
  cs.at("map").value = String(i);
  cs.at("what").textContent = maps[i].about;
  const dims = maps[i].dims;
  cs.at("axes").hidden = dims < 3;
  for (let c = 0; c < 3; c++) {
    const options = maps[i].axes.map((name, k) => cs.el("option", { value: k }, "xyz"[c] + ": " + name));
    cs.at("axis" + c).replaceChildren(...options);
    cs.at("axis" + c).value = String(c);
  }
  return show(i, [0, 1, 2]);
}
let playing = false;
async function play() {
  playing = !playing;
  pressedIf("play", playing);
  while (playing) {
    await setMap((now.map + 1) % maps.length);
    await new Promise((done) => setTimeout(done, 900));
  }
}

function controls() {
  cs.at("title").textContent = about.title;
  cs.at("theme").append(cs.themeButton(() => { legend(); restate(); }));
  cs.at("map").append(...maps.map((m, i) => cs.el("option", { value: i }, m.name)));
  cs.at("maprow").hidden = maps.length < 2;
  cs.at("three").disabled = maps.every((m) => m.dims < 3);
  cs.at("as").hidden = !hasThumbnails;
  const all = colourings();
  now.colouring = all[0];
  cs.at("by").append(...all.map((c, i) => cs.el("option", { value: i }, c.name)));
  const on = (id, event, f) => cs.at(id).addEventListener(event, f);
  on("by", "change", (e) => { now.colouring = all[e.target.value]; showAll(true); chosen(); });
  on("all", "click", () => showAll(true));
  on("none", "click", () => showAll(false));
  on("two", "click", () => setThree(false));
  on("three", "click", () => setThree(true));
  on("dots", "click", () => setPictures(false));
  on("pictures", "click", () => setPictures(true));
  on("lasso", "click", () => lassoMode(!lassoOn));
  on("home", "click", home);
  on("size", "input", (e) => { now.size = Number(e.target.value); redraw(); });
  on("search", "input", (e) => search(e.target.value));
  on("search", "keydown", (e) => { if (e.key === "Enter" && now.found && now.found.size) focusOn(now.found.values().next().value); });
  on("map", "change", (e) => { playing = false; pressedIf("play", false); setMap(Number(e.target.value)); });
  on("play", "click", play);
  for (let c = 0; c < 3; c++) on("axis" + c, "change", (e) => { const axes = now.axes.slice(); axes[c] = Number(e.target.value); show(now.map, axes); });
  on("png", "click", picture);
  on("csv", "click", () => table(Array.from({ length: n }, (_, i) => i).filter((i) => inks[4 * i + 3] !== HIDDEN), "points.csv"));
}

async function start() {
  if (!gl) {
    cs.at("stage").replaceChildren(cs.el("p", { class: "failed" }, "This page needs WebGL 2, which the browser does not give. Another browser, or its hardware acceleration switched on, will show the points."));
    return;
  }
  pointsTo = places(maps[0], [0, 1, 2]);
  pointsFrom = pointsTo.slice();
  controls();
  setPictures(now.pictures);
  setMap(0);
  Object.assign(look, rest());
  motion++;
  legend();
  restate();
  await loadSheets();
  startGraphics();
  chosen();
  canvas.addEventListener("webglcontextlost", (e) => { e.preventDefault(); graphics = null; });
  canvas.addEventListener("webglcontextrestored", () => { startGraphics(); redraw(); });
  new ResizeObserver(redraw).observe(canvas);
  redraw();
  window.__projector = { now, look, screen: (i) => { const r = canvas.getBoundingClientRect(), [x, y] = screen(i); return [r.x + x, r.y + y]; }, resting: () => look.t === 1 && look.deep === Number(now.three) };
}
start();
