// Colours, what they mean, and which of them are shown; search.

function counts(colouring) {
  const out = new Array(colouring.names.length).fill(0);
  for (let i = 0; i < n; i++) if (colouring.of[i] >= 0) out[colouring.of[i]]++;
  return out;
}

function legend() {
  const box = cs.at("legend"), { colouring, off } = now;
  const several = colouring.names && colouring.names.length > 1;
  cs.at("every").hidden = !several;
  if (!colouring.names) {
    const stops = [0, 0.25, 0.5, 0.75, 1].map((s) => { const at = 3 * Math.round(255 * s); return css([ramp[at], ramp[at + 1], ramp[at + 2]]); });
    box.replaceChildren(
      cs.el("div", { class: "ramp", style: { background: `linear-gradient(90deg, ${stops.join(", ")})` } }),
      cs.el("div", { class: "ends small quiet" }, cs.el("span", null, cs.number(colouring.low)), cs.el("span", null, cs.number(colouring.high))),
    );
    return;
  }
  const count = counts(colouring);
  box.replaceChildren(...colouring.names.map((name, v) => {
    const colour = css(seen(colouring.colours[v])), shown = !off.has(v);
    const click = (e) => {
      if (e.altKey) colouring.names.forEach((_, w) => (w === v ? off.delete(w) : off.add(w)));
      else if (!off.delete(v)) off.add(v);
      legend();
      restate();
      box.children[v].focus({ preventScroll: true });
    };
    return cs.el("button", { type: "button", "aria-pressed": String(shown), title: several ? "Show or hide; with Alt, show this alone" : null, disabled: !several, "data-class": v, onclick: click },
      cs.el("span", { class: "swatch", style: { borderColor: colour, background: shown ? colour : "transparent" } }),
      cs.el("span", { class: "name" }, name === "" ? "(empty)" : name), cs.el("span", { class: "count" }, cs.number(count[v])));
  }));
}

function showAll(all) {
  now.off = new Set(all ? [] : now.colouring.names.keys());
  legend();
  restate();
}

// Marks what holds the words; #12 is point 12.
function search(text) {
  const wanted = text.trim().toLowerCase();
  const said = cs.at("found");
  now.found = null;
  if (wanted) {
    now.found = new Set();
    const number = wanted.match(/^#(\d+)$/);
    if (number) {
      if (Number(number[1]) < n) now.found.add(Number(number[1]));
    } else {
      const all = words();
      for (let i = 0; i < n; i++) if (all[i].includes(wanted)) now.found.add(i);
    }
    const k = now.found.size;
    said.textContent = k === 0 ? "Nothing found" : `${cs.number(k)} of ${cs.number(n)} ${n === 1 ? "point" : "points"} found; Enter goes to the first`;
  }
  said.hidden = !wanted;
  now.focus = -1;
  now.lasso = null;
  restate();
  chosen();
}
