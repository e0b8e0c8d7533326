// What the page was written with, and what it says of a point.
const about = cs.json("about");
const n = about.n;
const maps = about.maps.map((m, i) => ({ ...m, at: cs.floats("map" + i) }));
const labels = cs.ints("labels");
const near = cs.ints("near");
const far = cs.floats("far");
const extents = cs.bytes("extents");
const ramp = cs.bytes("ramp");
const columns = cs.json("columns");
const hasThumbnails = about.sheets.sizes.length > 0;
let bitmaps = [];

// A map's three chosen columns, centred, the longest half 1. Fewer than three dimensions lie flat.
function places(map, axes) {
  const out = new Float32Array(3 * n);
  let longest = 0;
  const d = map.dims;
  for (let c = 0; c < 3; c++) {
    const from = axes[c];
    if (from >= d) continue;
    let low = Infinity, high = -Infinity;
    for (let i = 0; i < n; i++) {
      const v = map.at[i * d + from];
      if (v < low) low = v;
      if (v > high) high = v;
    }
    longest = Math.max(longest, (high - low) / 2);
    const middle = (low + high) / 2;
    for (let i = 0; i < n; i++) out[3 * i + c] = map.at[i * d + from] - middle;
  }
  if (longest > 0) for (let i = 0; i < out.length; i++) out[i] /= longest;
  return out;
}

// What can colour the points: classes, numbers, texts of which there are few.
function colourings() {
  const all = [];
  if (labels.length) all.push({ name: "class", names: about.classes, of: labels, colours: about.own });
  columns.forEach((column) => {
    if (column.number) {
      let low = Infinity, high = -Infinity;
      for (const v of column.cells) {
        if (v === null) continue;
        if (v < low) low = v;
        if (v > high) high = v;
      }
      all.push({ name: column.name, low, high, of: column.cells });
      return;
    }
    const seen = new Map();
    const of = new Int32Array(n);
    for (let i = 0; i < n; i++) {
      const text = column.cells[i];
      if (!seen.has(text)) {
        if (seen.size === 40) return;
        seen.set(text, seen.size);
      }
      of[i] = seen.get(text);
    }
    all.push({ name: column.name, names: [...seen.keys()], of, colours: about.palettes[seen.size] });
  });
  all.push({ name: "one colour", names: ["all points"], of: new Int32Array(n), colours: about.palettes[1] });
  // Black is no colour on a dark page.
  all[all.length - 1].colours = [[0, 114, 178]];
  return all;
}

// A colour that is seen on the page as it is now.
function seen([r, g, b]) {
  const light = (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
  const towards = cs.dark() ? (light < 0.2 ? 255 : -1) : (light > 0.8 ? 0 : -1);
  if (towards < 0) return [r, g, b];
  const share = towards ? 0.6 : 0.22;
  return [r, g, b].map((v) => Math.round(v + (towards - v) * share));
}
const css = (rgb) => "rgb(" + rgb.join(" ") + ")";

function colourOf(colouring, i) {
  const v = colouring.of[i];
  if (colouring.names) return v < 0 ? [128, 128, 128] : seen(colouring.colours[v]);
  if (v === null) return [128, 128, 128];
  const span = colouring.high - colouring.low || 1;
  const at = 3 * Math.round(255 * (v - colouring.low) / span);
  return [ramp[at], ramp[at + 1], ramp[at + 2]];
}

function nameOf(i) {
  return labels.length && labels[i] >= 0 ? about.classes[labels[i]] : "point " + i;
}
function cellText(column, i) {
  const v = column.cells[i];
  return v === null ? "—" : column.number ? cs.number(v) : v;
}

// A point's picture in a canvas of this side; null where there is none.
function thumbnail(i, side) {
  if (!hasThumbnails) return null;
  const s = about.sheets;
  const cell = i % s.per;
  const w = extents[2 * i], h = extents[2 * i + 1];
  const scale = side / Math.max(w, h);
  const canvas = cs.el("canvas", { width: Math.round(w * scale), height: Math.round(h * scale), "aria-hidden": "true" });
  const pen = canvas.getContext("2d");
  pen.imageSmoothingEnabled = false;
  const sheet = bitmaps[Math.floor(i / s.per)];
  if (sheet) {
    pen.drawImage(sheet, (cell % s.columns) * s.cell, Math.floor(cell / s.columns) * s.cell, w, h, 0, 0, canvas.width, canvas.height);
  }
  return canvas;
}

// Picture, name and metadata of a point.
function describe(i, side) {
  const list = cs.el("dl", null, columns.slice(0, 12).flatMap((c) => [cs.el("dt", null, c.name), cs.el("dd", null, cellText(c, i))]));
  const words = cs.el("div", null, cs.el("h3", null, nameOf(i)), cs.el("p", { class: "quiet small" }, "#" + i), columns.length ? list : null);
  return cs.el("div", { class: "about" }, thumbnail(i, side), words);
}

// Lower-case words of every point, made when they are first looked for.
let haystack = null;
function words() {
  if (haystack) return haystack;
  haystack = new Array(n);
  for (let i = 0; i < n; i++) {
    let text = labels.length ? nameOf(i) : "";
    for (const c of columns) text += "\n" + (c.cells[i] ?? "");
    haystack[i] = text.toLowerCase();
  }
  return haystack;
}

async function loadSheets() {
  const files = about.sheets.sizes.map((_, i) => new Blob([cs.bytes("sheet" + i)], { type: "image/png" }));
  bitmaps = await Promise.all(files.map((f) => createImageBitmap(f, { colorSpaceConversion: "none" })));
}
