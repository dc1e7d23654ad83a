// @ts-check
// <day-preload>: has today's registers kept on the device while there is network, says when it is ready, and what waits.

class DayPreload extends HTMLElement {
  /** @type {Outbox} */
  outbox = /** @type {any} */ (globalThis).pupitreOutbox;

  connectedCallback() {
    if (!this.outbox) return;
    this.outbox.listen((news) => {
      if (news.type === "kept") this.showKept(news);
      if (news.type === "report") this.showReport(news.report);
    });
    addEventListener("online", this.start);
    this.start();
  }

  disconnectedCallback() {
    removeEventListener("online", this.start);
  }

  start = async () => {
    const session = await this.outbox.greet(String(this.dataset.session));
    if (!session) return this.chip("offline", "offline", this.dataset.offline);
    this.showReport(await this.outbox.drain(String(this.dataset.session)));
    if (this.hasAttribute("data-keep") && session.account === Number(this.dataset.account)) this.keep();
  };

  async keep() {
    const worker = (await navigator.serviceWorker?.ready)?.active;
    if (!worker) return;
    const registers = [...document.querySelectorAll('a[href*="/registers/"]')].map((link) => /** @type {HTMLAnchorElement} */ (link).href);
    const days = String(this.dataset.pages).split(" ").map((page) => new URL(page, location.href).href);
    const urls = [...new Set([...days, ...registers])];
    this.chip("kept", "waiting", this.dataset.preparing);
    worker.postMessage({ type: "keep", account: Number(this.dataset.account), urls });
  }

  /** @param {{at: string, count: number, of: number}} kept */
  showKept({ at, count, of }) {
    const time = new Date(at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: this.dataset.zone });
    if (count === of) this.chip("kept", "saved", (this.dataset.ready ?? "").replace("{time}", time));
    else this.chip("kept", "waiting", (this.dataset.partly ?? "").replace("{n}", String(count)).replace("{of}", String(of)));
  }

  /** @param {OutboxReport} report */
  showReport({ outcome, waiting, account }) {
    if (!waiting) return this.querySelector('[data-chip="waiting"]')?.remove();
    const words = {
      foreign: this.dataset.foreign,
      "signed-out": this.dataset.signedOut,
      refused: this.dataset.refused,
    };
    const many = waiting === 1 ? this.getAttribute("data-waiting-1") : (this.dataset.waitingN ?? "").replace("{n}", String(waiting));
    const told = /** @type {Record<string, string | undefined>} */ (words)[outcome];
    this.chip("waiting", outcome === "offline" || account < 0 ? "offline" : "waiting", told ? `${many} · ${told}` : (many ?? ""));
  }

  /** @param {string} name @param {string} state @param {string | undefined} words */
  chip(name, state, words) {
    let chip = this.querySelector(`[data-chip="${name}"]`);
    if (!chip) {
      chip = document.createElement("span");
      chip.setAttribute("role", "status");
      /** @type {HTMLElement} */ (chip).dataset.chip = name;
      this.append(chip);
    }
    chip.className = `sync ${state}`;
    const drawing = document.querySelector(`[data-chips] .${state} svg`)?.cloneNode(true);
    chip.replaceChildren(...(drawing ? [drawing] : []), words ?? "");
    if (name === "kept") this.querySelector('[data-chip="offline"]')?.remove();
  }
}

customElements.define("day-preload", DayPreload);
