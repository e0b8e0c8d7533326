// What is marked and why; the card, the chosen points, files to take away.

function neighbours(i) {
  const out = [];
  if (near) for (let k = 0; k < about.k; k++) out.push({ i: near[i * about.k + k], d: far[i * about.k + k] });
  return out;
}

// The points that stand out: a clicked one with its neighbours, else the lasso's, else what was found.
function standing() {
  if (now.focus >= 0) return new Set([now.focus, ...neighbours(now.focus).map((m) => m.i)]);
  return now.lasso || now.found;
}

// Colour and flag of every point.
function restate() {
  const some = standing();
  const { colouring, off } = now;
  const table = colouring.names && colouring.names.map((_, v) => seen(colouring.colours[v]));
  for (let i = 0; i < n; i++) {
    const v = colouring.of[i];
    const rgb = table && v >= 0 ? table[v] : colourOf(colouring, i);
    inks[4 * i] = rgb[0];
    inks[4 * i + 1] = rgb[1];
    inks[4 * i + 2] = rgb[2];
    inks[4 * i + 3] = table && off.has(v) ? HIDDEN : !some ? PLAIN : i === now.focus ? FOCUS : some.has(i) ? MARKED : FAINT;
  }
  upload("ink", inks);
  redraw();
}

function hover(i, x, y) {
  const card = cs.at("card");
  canvas.classList.toggle("over-point", i >= 0);
  if (i < 0) {
    now.hover = -1;
    card.hidden = true;
    return;
  }
  if (i !== now.hover) card.replaceChildren(describe(i, 64));
  now.hover = i;
  card.hidden = false;
  // Beside the pointer, and never over the edge.
  const { width, height } = canvas.getBoundingClientRect();
  const right = x + 16 + card.offsetWidth < width, down = y + 16 + card.offsetHeight < height;
  card.style.left = Math.max(4, right ? x + 16 : x - 16 - card.offsetWidth) + "px";
  card.style.top = Math.max(4, down ? y + 16 : y - 16 - card.offsetHeight) + "px";
}

function focusOn(i) {
  now.focus = i;
  restate();
  chosen();
}

function lassoed(points) {
  now.lasso = points && points.size ? points : null;
  now.focus = -1;
  restate();
  chosen();
}

// A point one can click in a list.
function entry(i, last) {
  const name = cs.el("span", { class: "name" }, nameOf(i), cs.el("span", { class: "count" }, " #" + i));
  const dot = () => cs.el("span", { class: "swatch", style: { width: "10px", height: "10px", borderRadius: "5px", flex: "none", background: css(colourOf(now.colouring, i)) } });
  return cs.el("button", { type: "button", "data-point": i, onclick: () => focusOn(i) }, thumbnail(i, 28) || dot(), name,
    last === undefined ? null : cs.el("span", { class: "count" }, last));
}

// Rows of a list; the screen has no place for more.
const ROWS = 200;

function chosen() {
  const box = cs.at("chosen");
  box.replaceChildren();
  const add = (...parts) => box.append(...parts.filter((p) => p !== null));
  const close = (label, act) => cs.el("button", { type: "button", class: "plain", "aria-label": label, title: label, onclick: act }, "✕");
  if (now.focus >= 0) {
    const i = now.focus, list = neighbours(i);
    add(
      cs.el("div", { class: "head" }, cs.el("h2", null, "Point " + i), close("Leave this point", () => focusOn(-1))),
      describe(i, 72),
      list.length ? cs.el("p", { class: "quiet small", style: { marginTop: "10px" } },
        `Nearest in the original space: ${about.metric} distance, ${cs.number(about.space)} dimensions`) : null,
      cs.el("div", { class: "near", id: "near" }, list.map((m) => entry(m.i, cs.number(m.d)))),
    );
  } else if (now.lasso) {
    const all = [...now.lasso];
    add(
      cs.el("div", { class: "head" }, cs.el("h2", { id: "count" }, `${cs.number(all.length)} ${all.length === 1 ? "point" : "points"} chosen`), close("Choose none", () => lassoed(null))),
      shares(all),
      cs.el("div", { class: "near" }, all.slice(0, ROWS).map((i) => entry(i)),
        all.length > ROWS ? cs.el("p", { class: "quiet small" }, `and ${cs.number(all.length - ROWS)} more, all in the file`) : null),
      cs.el("div", { class: "actions" }, cs.el("button", { type: "button", class: "primary", id: "export", onclick: () => table(all, "chosen.csv") }, "Export CSV")),
    );
  }
  box.hidden = !box.firstChild;
}

// How the chosen spread over the classes.
function shares(all) {
  if (!now.colouring.names || now.colouring.names.length < 2) return null;
  const count = new Map();
  for (const i of all) count.set(now.colouring.of[i], (count.get(now.colouring.of[i]) || 0) + 1);
  const top = [...count].sort((a, b) => b[1] - a[1]).slice(0, 4);
  return cs.el("p", { class: "quiet small" }, top.map(([v, c]) => `${now.colouring.names[v] ?? "none"} ${c}`).join(" · ") + (count.size > 4 ? " …" : ""));
}

// Points as a file of comma-separated values, with their places in the map that is shown.
function table(list, file) {
  const map = maps[now.map];
  const axes = now.axes.filter((c) => c < map.dims);
  const head = ["index", ...(labels.length ? ["class"] : []), ...columns.map((c) => c.name), ...axes.map((c) => map.name + " " + map.axes[c])];
  const lines = [head.map(cs.csv).join(",")];
  for (const i of list) {
    const cells = [i, ...(labels.length ? [about.classes[labels[i]]] : []), ...columns.map((c) => c.cells[i] ?? ""), ...axes.map((c) => map.at[i * map.dims + c])];
    lines.push(cells.map(cs.csv).join(","));
  }
  cs.download(file, lines.join("\n") + "\n", "text/csv");
}

// What is seen, as a picture.
function picture() {
  fit();
  paint(view(), now.pictures, now.size);
  const out = cs.el("canvas", { width: canvas.width, height: canvas.height });
  const pen = out.getContext("2d");
  pen.drawImage(canvas, 0, 0);
  overlay();
  pen.drawImage(cs.at("over"), 0, 0);
  out.toBlob((blob) => cs.download("map.png", blob), "image/png");
}
