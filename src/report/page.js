cs.at("theme").append(cs.themeButton());
const large = cs.at("large");
for (const button of document.querySelectorAll("figure button")) {
  button.addEventListener("click", () => {
    large.querySelector("img").src = button.firstElementChild.src;
    large.querySelector("p").textContent = button.parentElement.querySelector("figcaption").textContent;
    large.showModal();
  });
}
large.addEventListener("click", () => large.close());
for (const button of document.querySelectorAll(".copy")) {
  button.addEventListener("click", async () => {
    const text = button.nextElementSibling;
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(text);
      button.textContent = "Selected: press Ctrl-C";
    }
  });
}
for (const button of document.querySelectorAll("[data-page]")) {
  button.addEventListener("click", () => {
    const html = new TextDecoder().decode(cs.bytes("page" + button.dataset.page));
    const frame = cs.el("iframe", { title: button.textContent });
    frame.srcdoc = html;
    button.replaceWith(frame);
  });
}
