// What all our pages share. Text of the user's reaches the page through textContent alone: it is shown, never run.
const cs = {
  // An element: cs.el("button", { class: "plain", onclick: f, "aria-label": "Close" }, "text", child, [more]).
  // Functions are listeners, true an empty attribute, false, null and undefined none; strings become text.
  el(tag, attributes, ...children) {
    const e = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (typeof value === "function") e.addEventListener(name.replace(/^on/, ""), value);
      else if (name === "class") e.className = value;
      else if (name === "style") Object.assign(e.style, value);
      else if (name === "value" || name === "checked" || name === "disabled") e[name] = value;
      else if (value === true) e.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) e.setAttribute(name, value);
    }
    e.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
    return e;
  },

  // The element with this id.
  at(id) {
    return document.getElementById(id);
  },

  // The JSON the page was written with under this name.
  json(name) {
    const e = cs.at("data-" + name);
    return e && JSON.parse(e.textContent);
  },

  // The bytes the page was written with under this name. Their text is dropped: it is needed once.
  bytes(name) {
    const e = cs.at("data-" + name);
    if (!e) return null;
    const text = e.textContent;
    e.remove();
    if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
    const raw = atob(text);
    const out = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
    return out;
  },

  // The same as numbers, little-endian as they were written.
  floats(name) {
    const b = cs.bytes(name);
    return b && new Float32Array(b.buffer, b.byteOffset, b.byteLength >> 2);
  },
  ints(name) {
    const b = cs.bytes(name);
    return b && new Int32Array(b.buffer, b.byteOffset, b.byteLength >> 2);
  },

  // A picture the page was written with, as a URL for <img>.
  picture(name, type) {
    const b = cs.bytes(name);
    return b && URL.createObjectURL(new Blob([b], { type: type || "image/png" }));
  },

  // Saves a file on the reader's side.
  download(name, content, type) {
    const blob = content instanceof Blob ? content : new Blob([content], { type: type || "text/plain" });
    const url = URL.createObjectURL(blob);
    const link = cs.el("a", { href: url, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  },

  // A number as people read it: four digits, 1.2e-7 and 3.4e8 at the ends.
  number(x) {
    if (!Number.isFinite(x)) return Number.isNaN(x) ? "NaN" : x > 0 ? "∞" : "−∞";
    const a = Math.abs(x);
    if (Number.isInteger(x) && a < 1e7) return x.toLocaleString("en").replace("-", "−");
    const text = a !== 0 && (a < 1e-3 || a >= 1e6) ? x.toExponential(2) : String(Number(x.toPrecision(4)));
    return text.replace(/^-/, "−");
  },

  // One field of a CSV file.
  csv(value) {
    const text = String(value);
    return /[",\n\r\t]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
  },

  // Whether the page is in its dark colours now.
  dark() {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  },

  // A button that changes between light and dark; `changed` hears of it, also when the reader's setting changes.
  // A file's storage may be forbidden: then the choice lasts as long as the page.
  themeButton(changed) {
    const root = document.documentElement;
    try {
      const kept = localStorage.getItem("cs385-theme");
      if (kept === "dark" || kept === "light") root.dataset.theme = kept;
    } catch { /* no storage */ }
    const button = cs.el("button", { class: "plain no-print", type: "button", "data-role": "theme" });
    const show = () => {
      button.textContent = cs.dark() ? "☀" : "☾";
      button.setAttribute("aria-label", cs.dark() ? "Light colours" : "Dark colours");
      button.title = button.getAttribute("aria-label");
    };
    button.addEventListener("click", () => {
      root.dataset.theme = cs.dark() ? "light" : "dark";
      try { localStorage.setItem("cs385-theme", root.dataset.theme); } catch { /* no storage */ }
      show();
      if (changed) changed();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      show();
      if (changed) changed();
    });
    show();
    return button;
  },
};
