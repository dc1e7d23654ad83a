// @ts-check
// The shell's only script. Pages work without it; it remembers the theme, closes toasts and gives number
// fields their two thumb-sized buttons.

const MONTHS_6 = 60 * 60 * 24 * 180;

/** The theme lives in a cookie so that the server can write it into <html>: no flash of the other one. */
function showTheme() {
  const chosen = /(?:^|; )theme=(light|dark)/.exec(document.cookie)?.[1];
  if (chosen) document.documentElement.dataset.theme = chosen;
  else delete document.documentElement.dataset.theme;
}

/** @param {string} theme "auto", "light" or "dark" */
function chooseTheme(theme) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `theme=${theme}; Path=/; Max-Age=${theme === "auto" ? 0 : MONTHS_6}; SameSite=Lax${secure}`;
  showTheme();
}

showTheme();

document.addEventListener("change", ({ target }) => {
  if (!(target instanceof HTMLElement)) return;
  if (target instanceof HTMLInputElement && target.name === "theme") chooseTheme(target.value);
  if (target.matches("[data-submit]")) /** @type {HTMLSelectElement} */ (target).form?.requestSubmit();
});

document.addEventListener("click", ({ target }) => {
  if (target instanceof Element) target.closest("[data-dismiss]")?.closest(".toast, .notice")?.remove();
});

/** Good news leaves by itself; what went wrong stays until it is closed, and nothing leaves while it is looked at. */
setInterval(() => {
  for (const toast of document.querySelectorAll(".toast:not(.error, .warning, :hover, :focus-within)")) {
    if (/** @type {HTMLElement} */ (toast).dataset.read) toast.remove();
    else if (document.visibilityState === "visible") /** @type {HTMLElement} */ (toast).dataset.read = "1";
  }
}, 6000);

/** <p-stepper data-less="…" data-more="…"><input type="number"></p-stepper>: the input alone is the component without script. */
class Stepper extends HTMLElement {
  connectedCallback() {
    const input = this.querySelector("input");
    if (!input || this.querySelector("button")) return;
    const words = /** @type {HTMLElement} */ (this.closest("[data-less]") ?? this).dataset;
    const by = Number(words.step ?? 1);
    input.before(this.button("−", words.less, () => input.stepDown(by), input));
    input.after(this.button("+", words.more, () => input.stepUp(by), input));
  }

  /** @param {string} sign @param {string | undefined} label @param {() => void} step @param {HTMLInputElement} input */
  button(sign, label, step, input) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = sign;
    button.setAttribute("aria-label", label ?? sign);
    button.addEventListener("click", () => {
      step();
      input.dispatchEvent(new Event("change", { bubbles: true }));
    });
    return button;
  }
}

customElements.define("p-stepper", Stepper);
