// One page at a time, by the address behind #; search over everything.
const pages = [...document.querySelectorAll(".page")];
const nav = cs.at("contents");
const results = cs.at("results");
const search = cs.at("search");
const menu = cs.at("menu");
const index = cs.json("index");
for (const i of index) i.key = i.name.toLowerCase();

function asked() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return "";
  }
}

function open(id, jump) {
  const here = cs.at(id) || cs.at(id + "/") || pages[0];
  const page = here.closest(".page") || pages[0];
  for (const p of pages) p.hidden = p !== page;
  results.hidden = true;
  for (const a of nav.querySelectorAll("a")) {
    if (a.getAttribute("href") === "#" + page.id) a.setAttribute("aria-current", "page");
    else a.removeAttribute("aria-current");
  }
  const title = page.querySelector("h1");
  document.title = title.textContent + " · cs385";
  nav.classList.remove("open");
  menu.setAttribute("aria-expanded", "false");
  if (!jump) return;
  if (here === page || here === title) window.scrollTo(0, 0);
  else here.scrollIntoView();
}

// How well an item fits: all words must be somewhere; 0 is no fit.
function score(item, words) {
  let sum = 0;
  for (const w of words) {
    const name = item.key.split(/::|\./).pop();
    if (item.key === w || name === w) sum += 100;
    else if (name.startsWith(w)) sum += 50;
    else if (item.key.includes(w)) sum += 30;
    else if (item.words.toLowerCase().includes(w)) sum += 10;
    else if (item.text.includes(w)) sum += 3;
    else return 0;
  }
  return sum;
}

let chosen = 0;
function mark() {
  [...results.querySelectorAll("a")].forEach((a, i) => a.classList.toggle("chosen", i === chosen));
}

function find() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return open(asked(), false);
  const hits = index.map((i) => [score(i, words), i]).filter((h) => h[0]);
  hits.sort((a, b) => b[0] - a[0] || a[1].name.length - b[1].name.length);
  for (const p of pages) p.hidden = true;
  results.hidden = false;
  results.replaceChildren(
    cs.el("p", { class: "quiet" }, hits.length === 1 ? "1 place" : hits.length + " places"),
    ...hits.slice(0, 60).map(([, i]) =>
      cs.el("a", { href: "#" + i.id }, cs.el("b", {}, i.name), " ", cs.el("span", { class: "quiet" }, i.words))),
  );
  chosen = 0;
  mark();
  window.scrollTo(0, 0);
}

search.addEventListener("input", find);
search.addEventListener("keydown", (e) => {
  const all = results.querySelectorAll("a");
  if (e.key === "ArrowDown" || e.key === "ArrowUp") {
    chosen = Math.max(0, Math.min(all.length - 1, chosen + (e.key === "ArrowDown" ? 1 : -1)));
    mark();
    all[chosen]?.scrollIntoView({ block: "nearest" });
    e.preventDefault();
  } else if (e.key === "Enter" && all[chosen]) {
    const to = all[chosen].getAttribute("href");
    if (location.hash === to) open(asked(), true);
    location.hash = to;
    search.blur();
  } else if (e.key === "Escape") {
    search.value = "";
    find();
    search.blur();
  }
});
results.addEventListener("click", (e) => {
  const a = e.target.closest("a");
  if (a && location.hash === a.getAttribute("href")) open(asked(), true);
});
document.addEventListener("keydown", (e) => {
  if (e.key === "/" && !["INPUT", "TEXTAREA"].includes(document.activeElement.tagName)) {
    search.focus();
    search.select();
    e.preventDefault();
  }
});
menu.addEventListener("click", () => {
  const shown = nav.classList.toggle("open");
  menu.setAttribute("aria-expanded", String(shown));
});
document.querySelector(".bar").append(cs.themeButton());
window.addEventListener("hashchange", () => open(asked(), true));
open(asked(), location.hash.length > 1);
