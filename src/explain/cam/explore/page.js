const D = cs.json("explore");
const BYTES = cs.bytes("maps");
const TABLES = Object.fromEntries(D.tables);
const now = { picture: 0, net: 0, layer: D.layers.length - 1, method: 0, target: 0, opacity: 0.55, table: "jet", shared: false };
const byArea = D.areas.length > 0;
const images = {};
const called = (k) => D.classes[k] || "class " + k;

// Maps lie in the order they were made in: network, target, layer, method; in each a number a picture.
const place = (n, t, l, m) => ((n * D.targets.length + t) * D.layers.length + l) * D.methods.length + m;
const kept = (n, t, l, m) => D.maps[D.index[place(n, t, l, m)][now.picture]];
const values = (k) => {
  const out = new Float32Array(k.w * k.h);
  for (let i = 0; i < out.length; i++) out[i] = k.low + (k.high - k.low) * BYTES[k.at + i] / 255;
  return out;
};

// The ends of the colour scale: of this map, or of this method's maps in all layers and networks.
function range() {
  const all = now.shared
    ? D.nets.flatMap((_, n) => D.layers.map((_, l) => kept(n, now.target, l, now.method)))
    : [kept(now.net, now.target, now.layer, now.method)];
  const low = Math.min(0, ...all.map((k) => k.low)), high = Math.max(...all.map((k) => k.high));
  return low < 0 ? [-Math.max(-low, high), Math.max(-low, high)] : [0, high > 0 ? high : 1];
}

// Bilinear, with the corners of torch's interpolate (align_corners=False).
function enlarged(k, W, H) {
  const v = values(k), out = new Float32Array(W * H);
  const axis = (n, N) => Array.from({ length: N }, (_, i) => {
    const at = Math.max(0, (i + 0.5) * n / N - 0.5), a = Math.min(n - 1, Math.floor(at));
    return [a, Math.min(n - 1, a + 1), at - a];
  });
  const xs = axis(k.w, W), ys = axis(k.h, H);
  for (let y = 0; y < H; y++) {
    const [a, b, f] = ys[y];
    for (let x = 0; x < W; x++) {
      const [c, d, g] = xs[x];
      const top = v[a * k.w + c] * (1 - g) + v[a * k.w + d] * g, low = v[b * k.w + c] * (1 - g) + v[b * k.w + d] * g;
      out[y * W + x] = top * (1 - f) + low * f;
    }
  }
  return out;
}

function canvasOf(canvas, img) {
  const scale = Math.max(1, Math.ceil(512 / Math.max(D.width, D.height)));
  canvas.width = D.width * scale;
  canvas.height = D.height * scale;
  const c = canvas.getContext("2d", { willReadFrequently: true });
  c.imageSmoothingEnabled = D.width > 64; // small pictures show their pixels
  if (img && img.complete && img.naturalWidth) c.drawImage(img, 0, 0, canvas.width, canvas.height);
  return c;
}

function box(c, [x, y, w, h], [W, H]) {
  const sx = c.canvas.width / W, sy = c.canvas.height / H, line = Math.max(2, c.canvas.width / 220);
  for (const [style, width] of [["#000", line * 2.6], ["#fff", line]]) {
    c.strokeStyle = style;
    c.lineWidth = width;
    c.strokeRect(x * sx, y * sy, w * sx, h * sy);
  }
}

function draw() {
  const k = kept(now.net, now.target, now.layer, now.method), [low, high] = range(), table = TABLES[now.table];
  const c = canvasOf(cs.at("map"), images["p" + now.picture]);
  const W = c.canvas.width, H = c.canvas.height, v = enlarged(k, W, H), p = c.getImageData(0, 0, W, H), a = now.opacity;
  for (let i = 0; i < v.length; i++) {
    const t = table[Math.max(0, Math.min(255, Math.floor((v[i] - low) / (high - low) * 255)))];
    for (let j = 0; j < 3; j++) p.data[4 * i + j] = Math.round(p.data[4 * i + j] * (1 - a) + t[j] * a);
  }
  c.putImageData(p, 0, 0);
  const target = byArea ? areaText() : called(D.targets[now.target][now.picture]);
  cs.at("said").textContent = [D.methods[now.method], D.layers[now.layer], D.nets[now.net], target].filter(Boolean).join(" · ");
  cs.at("map").setAttribute("aria-label", cs.at("said").textContent);
  if (byArea) {
    box(c, D.areas[now.target], D.output);
    box(canvasOf(cs.at("out"), images["o" + now.net + "." + now.picture]), D.areas[now.target], D.output);
    cs.at("out-said").textContent = "output · drag a box";
    cs.at("area").textContent = areaText();
  }
  cs.at("low").textContent = cs.number(low);
  cs.at("high").textContent = cs.number(high);
  cs.at("unit").textContent = now.shared ? "one scale for all layers" + (D.nets.length > 1 ? " and networks" : "") : "scale of this map";
  const b = cs.at("bar").getContext("2d");
  for (let i = 0; i < 256; i++) {
    b.fillStyle = "rgb(" + table[i].join(",") + ")";
    b.fillRect(i, 0, 1, 10);
  }
  window.__now = { ...now, values: Array.from(values(k)), w: k.w, h: k.h, low, high };
}

function areaText() {
  const [x, y, w, h] = D.areas[now.target];
  return `x ${x}, y ${y}, ${w} × ${h} pixels`;
}

function choose(part) {
  Object.assign(now, part);
  fill();
  draw();
}

// A probability, also a small one.
const share = (v) => (v >= 0.01 || v === 0 ? v.toFixed(2) : v.toExponential(0).replace("-", "−"));

function listing(id, names, key) {
  cs.at(id).replaceChildren(...names.map((name, i) => cs.el("button",
    { type: "button", "aria-pressed": String(now[key] === i), onclick: () => choose({ [key]: i }) }, name || "network")));
}

function fill() {
  cs.at("pictures").replaceChildren(...D.pictures.map((url, i) => cs.el("button",
    { type: "button", "aria-pressed": String(now.picture === i), "aria-label": "Picture " + (i + 1), onclick: () => choose({ picture: i }) },
    cs.el("img", { src: url, alt: "" }))));
  if (!byArea) {
    cs.at("classes").replaceChildren(...D.probabilities[now.net][now.picture].map(([k, p]) => {
      const t = D.targets.findIndex((row) => row[now.picture] === k);
      const b = cs.el("button", { type: "button", disabled: t < 0, "aria-pressed": String(t === now.target), onclick: () => choose({ target: t }) },
        cs.el("span", {}, called(k)), cs.el("span", {}, (100 * p).toFixed(1) + " %"));
      b.style.setProperty("--p", 100 * p + "%");
      if (t < 0) b.title = "No maps of this class were computed";
      return b;
    }));
  }
  listing("nets", D.nets, "net");
  listing("layers", D.layers, "layer");
  cs.at("methods").replaceChildren(...D.methods.map((name, m) => {
    const s = D.scores.length > 0 && D.scores[place(now.net, now.target, now.layer, m)][now.picture];
    return cs.el("button", { type: "button", "aria-pressed": String(now.method === m), onclick: () => choose({ method: m }) }, cs.el("span", {}, name),
      s && cs.el("span", { class: "score", title: "Area under the class's probability: high insertion and low deletion are good" },
        "ins " + share(s[0]) + " · del " + share(s[1])));
  }));
}

// The box computed that has most in common with the one drawn.
function nearest([x0, y0, x1, y1]) {
  const share = ([x, y, w, h]) => {
    const both = Math.max(0, Math.min(x + w, x1) - Math.max(x, x0)) * Math.max(0, Math.min(y + h, y1) - Math.max(y, y0));
    const away = Math.hypot(x + w / 2 - (x0 + x1) / 2, y + h / 2 - (y0 + y1) / 2);
    return both / (w * h + (x1 - x0) * (y1 - y0) - both) - 1e-6 * away - (both > 0 ? 0 : 1);
  };
  return D.areas.map(share).reduce((best, s, i, all) => (s > all[best] ? i : best), 0);
}

function dragging() {
  const canvas = cs.at("out");
  let from = null;
  const at = (e) => {
    const r = canvas.getBoundingClientRect();
    const cut = (v, n) => Math.max(0, Math.min(n, v));
    return [cut((e.clientX - r.x) / r.width * D.output[0], D.output[0]), cut((e.clientY - r.y) / r.height * D.output[1], D.output[1])];
  };
  const both = (e) => {
    const to = at(e);
    return [Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.max(from[0], to[0]) + 0.01, Math.max(from[1], to[1]) + 0.01];
  };
  canvas.addEventListener("pointerdown", (e) => { from = at(e); canvas.setPointerCapture(e.pointerId); });
  canvas.addEventListener("pointermove", (e) => {
    if (!from) return;
    const [x0, y0, x1, y1] = both(e);
    draw();
    const c = canvas.getContext("2d"), sx = canvas.width / D.output[0], sy = canvas.height / D.output[1];
    c.setLineDash([8, 6]);
    c.strokeStyle = "#fff";
    c.lineWidth = 2;
    c.strokeRect(x0 * sx, y0 * sy, (x1 - x0) * sx, (y1 - y0) * sy);
    c.setLineDash([]);
  });
  canvas.addEventListener("pointerup", (e) => { if (from) { const b = both(e); from = null; choose({ target: nearest(b) }); } });
}

function save() {
  const shots = [cs.at("map"), byArea && cs.at("out")].filter(Boolean), gap = 16, w = shots[0].width, h = shots[0].height;
  const all = cs.el("canvas", { width: w * shots.length + gap * (shots.length + 1), height: h + 86 }), c = all.getContext("2d");
  c.fillStyle = "#fff";
  c.fillRect(0, 0, all.width, all.height);
  shots.forEach((s, i) => c.drawImage(s, gap + i * (w + gap), gap));
  c.fillStyle = "#222";
  c.font = "15px sans-serif";
  c.fillText(cs.at("said").textContent, gap, h + gap + 24);
  c.drawImage(cs.at("bar"), gap, h + gap + 34, 256, 10);
  c.font = "12px sans-serif";
  c.fillText(cs.at("low").textContent, gap, h + gap + 60);
  c.fillText(cs.at("high").textContent, gap + 256, h + gap + 60);
  all.toBlob((blob) => cs.download("map.png", blob));
}

function step(key, by, n) {
  choose({ [key]: (now[key] + by + n) % n });
}

cs.at("title").textContent = D.title;
cs.at("theme").append(cs.themeButton());
cs.at("table").append(...D.tables.map(([name]) => cs.el("option", { value: name }, name)));
cs.at("opacity").addEventListener("input", (e) => { now.opacity = e.target.value / 100; draw(); });
cs.at("table").addEventListener("change", (e) => { now.table = e.target.value; draw(); });
cs.at("shared").addEventListener("change", (e) => { now.shared = e.target.checked; draw(); });
cs.at("export").addEventListener("click", save);
cs.at("net-part").hidden = cs.at("net-keys").hidden = D.nets.length < 2;
cs.at("class-part").hidden = byArea;
cs.at("area-part").hidden = cs.at("out-figure").hidden = !byArea;
if (byArea) dragging();
document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.target.matches("select, input:not([type=checkbox])")) return;
  const keys = {
    ArrowUp: ["layer", -1, D.layers.length], ArrowDown: ["layer", 1, D.layers.length], ArrowLeft: ["net", -1, D.nets.length],
    ArrowRight: ["net", 1, D.nets.length], m: ["method", 1, D.methods.length], p: ["picture", 1, D.pictures.length],
  };
  if (!keys[e.key]) return;
  e.preventDefault();
  step(...keys[e.key]);
});
const load = (key, url) => new Promise((done) => {
  const img = new Image();
  img.onload = img.onerror = done;
  img.src = url;
  images[key] = img;
});
fill();
Promise.all([...D.pictures.map((u, i) => load("p" + i, u)), ...D.outputs.flatMap((row, n) => row.map((u, i) => load("o" + n + "." + i, u)))]).then(() => {
  draw();
  document.body.dataset.ready = "yes";
});
