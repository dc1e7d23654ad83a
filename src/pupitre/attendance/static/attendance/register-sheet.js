// @ts-check
// <register-sheet>: the register's form, made quick. Each tap is kept on the device at once and sent soon after; without
// network it waits (outbox.js). Without script the form itself is the register.

/** @typedef {{pupil: string, code: string, minutes: number}} SheetMark */

const SEND_AFTER = 350;
const FIRST_RETRY = 3_000;
const LONGEST_RETRY = 60_000;
/** The chip's drawings, as the server draws them (lucide). */
const ICONS = {
  saved: '<path d="m17 15-5.500 5.500L9 18"/><path d="M5 17.743A7 7 0 1 1 15.710 10h1.790a4.500 4.500 0 0 1 1.500 8.742"/>',
  waiting: '<path d="M12 13v8"/><path d="M4 14.899A7 7 0 1 1 15.710 8h1.790a4.500 4.500 0 0 1 2.500 8.242"/><path d="m8 17 4-4 4 4"/>',
  offline: '<path d="M12 20h.01"/><path d="M8.500 16.429a5 5 0 0 1 7 0"/><path d="M5 12.859a10 10 0 0 1 5.170-2.690"/><path d="M19 12.859a10 10 0 0 0-2.007-1.523"/><path d="M2 8.820a15 15 0 0 1 4.177-2.643"/><path d="M22 8.820a15 15 0 0 0-11.288-3.764"/><path d="m2 2 20 20"/>',
  merged: '<circle cx="18" cy="18" r="3"/><circle cx="6" cy="6" r="3"/><path d="M6 21V9a9 9 0 0 0 9 9"/>',
};

class RegisterSheet extends HTMLElement {
  /** @type {Outbox} */
  outbox = /** @type {any} */ (globalThis).pupitreOutbox;
  /** @type {SheetMark[]} */
  undos = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  timer;
  retry = FIRST_RETRY;
  version = 0;
  isDone = false;

  async connectedCallback() {
    const form = this.querySelector("form");
    if (!form || !this.outbox) return;
    if (form.querySelector("fieldset")?.disabled && !(await this.isOpened(form))) return;
    this.form = form;
    this.account = Number(this.dataset.account);
    this.url = String(this.dataset.marks);
    this.version = Number(this.dataset.version);
    this.late = new Set((this.dataset.late ?? "").split(" "));
    this.addEventListener("change", this.changed);
    this.addEventListener("click", this.clicked);
    form.addEventListener("submit", this.submitted);
    document.querySelector("[data-keep-note]")?.addEventListener("click", this.keepNote);
    addEventListener("online", this.online);
    document.addEventListener("visibilitychange", this.online);
    this.outbox.listen((news) => this.hear(news));
    const device = await this.outbox.device();
    const field = form.querySelector('input[name="device"]');
    if (field instanceof HTMLInputElement) field.value = device;
    await this.showWhatIsKnown();
    if (this.version) this.showDone();
    this.remember();
    this.dataset.ready = "";
    const session = await this.outbox.greet(String(this.dataset.session));
    if (session === null) this.showOffline(await this.outbox.entry(this.account, this.url));
    else await this.send();
  }

  /** A page that was kept in the morning, before its lesson: it opens by itself when the time has come.
   * @param {HTMLFormElement} form */
  async isOpened(form) {
    const { opens } = this.dataset;
    if (!opens) return false;
    const left = Date.parse(opens) - Date.parse(await this.outbox.now());
    if (left > 0) {
      this.timer = setTimeout(() => this.connectedCallback(), Math.min(left + 500, 60_000));
      return false;
    }
    form.querySelector("fieldset")?.removeAttribute("disabled");
    document.querySelector("[data-until-open]")?.remove();
    for (const button of document.querySelectorAll("[data-save], [data-close]")) button.removeAttribute("hidden");
    delete this.dataset.opens;
    return true;
  }

  disconnectedCallback() {
    removeEventListener("online", this.online);
    document.removeEventListener("visibilitychange", this.online);
    clearTimeout(this.timer);
  }

  /** A page out of the cache is as old as this morning: what the server answered since, and what waits, lies over it. */
  async showWhatIsKnown() {
    const known = await this.outbox.known(this.account ?? 0, this.url ?? "");
    if (known && known.version > this.version) this.apply(known.marks, known.version);
    const entry = await this.outbox.entry(this.account ?? 0, this.url ?? "");
    if (!entry) return;
    for (const [pupil, mark] of Object.entries({ ...entry.sending?.marks, ...entry.marks })) {
      this.put(pupil, mark.code, mark.minutes, mark.note);
    }
    this.showDone();
    this.show("waiting", this.waitingWords(entry));
    if (entry.refused) this.showRefused(entry.refused);
  }

  /** @param {Record<string, [string, number, string]>} marks @param {number} version */
  apply(marks, version) {
    for (const [pupil, [code, minutes, note]] of Object.entries(marks)) this.put(pupil, code, minutes, note);
    this.version = version;
    const field = this.form?.elements.namedItem("version");
    if (field instanceof HTMLInputElement) field.value = String(version);
  }

  /** @param {string} pupil @param {string} code @param {number} minutes @param {string | undefined} note */
  put(pupil, code, minutes, note) {
    const radio = this.radio(pupil, code);
    if (radio) radio.checked = true;
    const field = this.late?.has(code) ? this.minutesField(pupil) : this.field(pupil);
    if (field) field.value = minutes ? String(minutes) : "";
    if (note !== undefined) this.showNote(pupil, note);
    this.count();
  }

  /** @param {string} pupil @param {string} code @returns {HTMLInputElement | null} */
  radio(pupil, code) {
    return this.querySelector(`input[name="mark-${pupil}"][value="${CSS.escape(code)}"]`);
  }

  /** @param {string} pupil @returns {HTMLInputElement | null} */
  field(pupil) {
    return this.querySelector(`input[name="minutes-${pupil}"]`);
  }

  /** The field for minutes, which only pupils who are late have. @param {string} pupil @returns {HTMLInputElement} */
  minutesField(pupil) {
    const found = this.field(pupil);
    if (found) return found;
    const words = /** @type {HTMLElement | null} */ (this.querySelector(".register"))?.dataset.lateBy ?? "";
    const place = document.createElement("div");
    const text = document.createElement("span");
    const stepper = document.createElement("p-stepper");
    const input = document.createElement("input");
    Object.assign(input, { type: "number", inputMode: "numeric", name: `minutes-${pupil}`, min: "0", max: "600" });
    input.setAttribute("aria-label", words);
    place.className = "late-by";
    text.textContent = words;
    stepper.append(input);
    place.append(text, stepper);
    document.getElementById(`pupil-${pupil}`)?.append(place);
    return input;
  }

  /** @param {string} pupil @returns {SheetMark} */
  said(pupil) {
    const checked = this.querySelector(`input[name="mark-${pupil}"]:checked`);
    const code = checked instanceof HTMLInputElement ? checked.value : "";
    return { pupil, code, minutes: this.late?.has(code) ? Number(this.field(pupil)?.value || 0) : 0 };
  }

  /** What each pupil's mark was before the next tap: what undo goes back to. */
  remember() {
    /** @type {Map<string, SheetMark>} */
    this.earlier = new Map();
    for (const radio of this.querySelectorAll('input[type="radio"]:checked')) {
      const pupil = /** @type {HTMLInputElement} */ (radio).name.slice("mark-".length);
      this.earlier.set(pupil, this.said(pupil));
    }
  }

  /** @param {Event} event */
  changed = (event) => {
    const input = event.target;
    if (!(input instanceof HTMLInputElement)) return;
    const [kind, pupil] = input.name.split("-");
    if (kind !== "mark" && kind !== "minutes") return;
    if (kind === "mark" && this.late?.has(input.value)) {
      const field = this.minutesField(pupil);
      if (!Number(field.value)) field.value = String(this.minutesSinceStart());
    }
    const was = this.earlier?.get(pupil);
    if (was) this.undos.push(was);
    this.mark(pupil);
  };

  minutesSinceStart() {
    const starts = Date.parse(String(this.dataset.starts));
    const length = (Date.parse(String(this.dataset.ends)) - starts) / 60_000;
    return Math.max(1, Math.min(Math.floor((Date.now() - starts) / 60_000), length));
  }

  /** Keep one pupil's mark as it is on the page now. @param {string} pupil @param {string} [note] */
  async mark(pupil, note) {
    const { code, minutes } = this.said(pupil);
    this.earlier?.set(pupil, { pupil, code, minutes });
    this.showDone();
    this.count();
    this.querySelector("[data-undo]")?.toggleAttribute("hidden", !this.undos.length);
    const recorded_at = await this.outbox.now();
    await this.keep({ [pupil]: { code, minutes, recorded_at, ...(note === undefined ? {} : { note }) } });
    this.show("waiting", this.dataset.saving);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send(), SEND_AFTER);
  }

  /** @param {Record<string, OutboxMark>} marks */
  keep(marks) {
    const { account = 0, url = "", version: base_version } = this;
    const { session = "", title = "" } = this.dataset;
    return this.outbox.keep({ account, url, session, title, base_version }, marks);
  }

  async send() {
    clearTimeout(this.timer);
    const report = await this.outbox.drain(String(this.dataset.session));
    const entry = await this.outbox.entry(this.account ?? 0, this.url ?? "");
    if (!entry) {
      this.retry = FIRST_RETRY;
      if (report.outcome === "offline") this.show("offline");
      return;
    }
    if (entry.refused) return this.showRefused(entry.refused);
    if (report.outcome === "signed-out") this.show("waiting", this.dataset.signedOut);
    else if (report.account > 0 && report.account !== this.account) this.showForeign();
    else this.showOffline(entry);
    this.timer = setTimeout(() => this.send(), this.retry);
    this.retry = Math.min(this.retry * 2, LONGEST_RETRY);
  }

  online = () => {
    if (document.visibilityState !== "visible" || !navigator.onLine) return;
    this.retry = FIRST_RETRY;
    this.send();
  };

  /** @param {OutboxNews} news */
  hear(news) {
    if (news.type !== "answer" || news.key !== `${this.account} ${this.url}`) return;
    this.outbox.entry(this.account ?? 0, this.url ?? "").then((entry) => {
      // A tap that came while the batch was under way is newer than the answer.
      const waiting = { ...entry?.sending?.marks, ...entry?.marks };
      const marks = Object.fromEntries(Object.entries(news.answer.marks).filter(([pupil]) => !waiting[pupil]));
      this.apply(marks, news.answer.version);
      this.remember();
      const time = new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: this.dataset.zone });
      if (news.answer.merged.length) this.show("merged", this.dataset.merged);
      else if (!entry) this.show("saved", `${this.dataset.saved} ${time}`);
      this.showMerged(news.answer.merged);
    });
  }

  /** @param {OutboxMerged[]} merged */
  showMerged(merged) {
    const place = this.querySelector("[data-merges]");
    if (!place || !merged.length) return;
    const list = document.createElement("ul");
    list.className = "list";
    for (const one of merged) {
      const row = document.createElement("li");
      const text = document.createElement("span");
      text.className = "grow";
      text.textContent = one.text;
      row.append(text);
      if (one.use) row.append(this.useButton(one, row));
      list.append(row);
    }
    place.replaceChildren(list);
    place.toggleAttribute("hidden", false);
  }

  /** @param {OutboxMerged} one @param {HTMLElement} row */
  useButton(one, row) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button small";
    button.textContent = one.use;
    button.addEventListener("click", () => {
      const [code, minutes] = (one.kind === "replaced" ? one.other : one.mine) ?? one.mine;
      this.put(String(one.pupil), code, minutes, undefined);
      this.mark(String(one.pupil));
      row.remove();
    });
    return button;
  }

  /** @param {OutboxEntry | undefined} entry */
  showOffline(entry) {
    this.show("offline", entry ? `${this.dataset.offline} · ${this.waitingWords(entry)}` : this.dataset.offline);
  }

  showForeign() {
    this.show("waiting", this.dataset.signedOut);
    this.showText(String(this.dataset.foreign));
  }

  /** @param {string} reason */
  showRefused(reason) {
    this.show("waiting", this.dataset.refused);
    const discard = document.createElement("button");
    discard.type = "button";
    discard.className = "button small";
    discard.textContent = String(this.dataset.discard);
    discard.addEventListener("click", async () => {
      await this.outbox.discard(this.account ?? 0, this.url ?? "");
      location.reload();
    });
    this.showText(reason, discard);
  }

  /** @param {string} words @param {HTMLElement[]} more */
  showText(words, ...more) {
    const place = this.querySelector("[data-merges]");
    const text = document.createElement("p");
    text.className = "grow";
    text.textContent = words;
    const list = document.createElement("div");
    list.className = "row";
    list.append(text, ...more);
    place?.replaceChildren(list);
    place?.toggleAttribute("hidden", false);
  }

  /** @param {Event} event */
  clicked = (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest("[data-undo]")) return this.undo();
    const name = target?.closest("a.name");
    if (name && event instanceof MouseEvent && !event.metaKey && !event.ctrlKey) {
      event.preventDefault();
      this.openNote(name);
    }
  };

  undo() {
    const was = this.undos.pop();
    if (!was) return;
    this.put(was.pupil, was.code, was.minutes, undefined);
    this.mark(was.pupil);
  }

  /** @param {Element} name */
  openNote(name) {
    const dialog = document.getElementById("note");
    const field = dialog?.querySelector("textarea");
    const title = dialog?.querySelector("h2");
    if (!dialog || !field) return;
    this.noted = name.id.slice("n-".length);
    field.value = this.querySelector(`#pupil-${this.noted} [data-note]`)?.textContent?.trim() ?? "";
    if (title) title.textContent = name.textContent?.trim() ?? "";
    dialog.showPopover();
    field.focus();
  }

  keepNote = () => {
    const dialog = document.getElementById("note");
    const note = dialog?.querySelector("textarea")?.value.trim() ?? "";
    dialog?.hidePopover();
    if (!this.noted) return;
    this.showNote(this.noted, note);
    this.mark(this.noted, note);
  };

  /** @param {string} pupil @param {string} note */
  showNote(pupil, note) {
    const row = document.getElementById(`pupil-${pupil}`);
    row?.querySelector("[data-note]")?.remove();
    if (!row || !note) return;
    let flags = row.querySelector(".flags");
    if (!flags) {
      flags = document.createElement("div");
      flags.className = "flags";
      row.querySelector(".marks")?.after(flags);
    }
    const badge = document.createElement("span");
    badge.className = "badge";
    badge.dataset.note = "";
    badge.textContent = note;
    flags.append(badge);
  }

  /** @param {SubmitEvent} event */
  submitted = async (event) => {
    if (event.submitter?.hasAttribute("data-close")) return;
    event.preventDefault();
    if (this.isDone) return void location.assign(String(this.dataset.day));
    await this.keep({});
    this.show("waiting", this.dataset.saving);
    this.showDone();
    await this.send();
  };

  /** From the first mark on everything saves itself: the button then leads back to the day. */
  showDone() {
    const label = [...(document.querySelector("[data-save]")?.childNodes ?? [])].find((node) => node.nodeType === Node.TEXT_NODE);
    if (label) label.textContent = String(this.dataset.done);
    this.isDone = true;
  }

  count() {
    /** @type {Record<string, number>} */
    const counts = {};
    for (const radio of this.querySelectorAll('input[type="radio"]:checked')) {
      const { value } = /** @type {HTMLInputElement} */ (radio);
      counts[value] = (counts[value] ?? 0) + 1;
    }
    for (const output of this.querySelectorAll("[data-count]")) {
      const shown = String(counts[/** @type {HTMLElement} */ (output).dataset.count ?? ""] ?? 0);
      if (output.textContent !== shown) output.textContent = shown;
    }
  }

  /** @param {OutboxEntry} entry */
  waitingWords(entry) {
    const number = Object.keys({ ...entry.sending?.marks, ...entry.marks }).length || 1;
    const one = this.getAttribute("data-waiting-1") ?? "";
    return number === 1 ? one : (this.dataset.waitingN ?? "").replace("{n}", String(number));
  }

  /** @param {keyof typeof ICONS} state @param {string} [words] */
  show(state, words) {
    const chip = this.querySelector("[data-sync]");
    if (!chip) return;
    chip.className = `sync ${state}`;
    const icon = chip.querySelector("svg");
    if (icon) icon.innerHTML = ICONS[state];
    const text = chip.querySelector("span");
    if (text) text.textContent = words ?? this.dataset[state] ?? "";
  }
}

customElements.define("register-sheet", RegisterSheet);
