// @ts-check
// Marks on their way to the school. Pages and the service worker load this same script: it keeps what was marked in
// IndexedDB until the server has it, however often the network, the page or the browser goes away in between.
//
// One entry per account and register. A mark is sent in a batch; while a batch is under way new marks wait beside it, so
// sending the same batch again is always safe: the server knows a mark by its device and its moment.

/**
 * @typedef {{code: string, minutes: number, note?: string, recorded_at: string}} OutboxMark one pupil's, by the corrected clock
 * @typedef {{batch: string, base_version: number, marks: Record<string, OutboxMark>}} OutboxBatch
 * @typedef {{account: number, url: string, session: string, title: string, base_version: number}} OutboxPlace
 * @typedef {OutboxPlace & {
 *   key: string, marks: Record<string, OutboxMark>, fresh: boolean, sending: OutboxBatch | null, refused: string,
 *   updated_at: number,
 * }} OutboxEntry `fresh`: there is something to send, even if no mark was touched
 * @typedef {[code: string, minutes: number, note: string]} OutboxSpoken
 * @typedef {{
 *   pupil: number, name: string, kind: string, text: string, mine: OutboxSpoken, other: OutboxSpoken | null, use: string,
 * }} OutboxMerged
 * @typedef {{
 *   version: number, closed: boolean, marks: Record<string, OutboxSpoken>, merged: OutboxMerged[], now: string,
 * }} OutboxAnswer
 * @typedef {{account: number, csrf: string, now: string}} OutboxSession
 * @typedef {"idle" | "sent" | "more" | "offline" | "signed-out" | "foreign" | "refused"} OutboxOutcome
 * @typedef {{outcome: OutboxOutcome, waiting: number, account: number}} OutboxReport `account` is -1 where it is not known
 * @typedef {{type: "kept", at: string, count: number, of: number}} OutboxKept
 * @typedef {{type: "answer", key: string, answer: OutboxAnswer} | {type: "report", report: OutboxReport} | OutboxKept} OutboxNews
 * @typedef {{
 *   keep(place: OutboxPlace, marks: Record<string, OutboxMark>): Promise<void>,
 *   entry(account: number, url: string): Promise<OutboxEntry | undefined>,
 *   discard(account: number, url: string): Promise<void>,
 *   known(account: number, url: string): Promise<OutboxAnswer | undefined>,
 *   drain(session: string): Promise<OutboxReport>,
 *   greet(session: string): Promise<OutboxSession | null>,
 *   device(): Promise<string>,
 *   now(): Promise<string>,
 *   listen(heard: (news: OutboxNews) => void): void,
 *   tell(news: OutboxNews): void,
 * }} Outbox
 */

(() => {
  const CHANNEL = "pupitre-outbox";
  const FORGET_AFTER = 14 * 24 * 3600 * 1000;
  const channel = new BroadcastChannel(CHANNEL);
  /** @type {((news: OutboxNews) => void)[]} */
  const listeners = [];
  channel.addEventListener("message", ({ data }) => listeners.forEach((heard) => heard(data)));

  /** @type {Promise<IDBDatabase> | undefined} */
  let opened;

  /** @returns {Promise<IDBDatabase>} */
  function database() {
    opened ??= new Promise((resolve, reject) => {
      const request = indexedDB.open("pupitre", 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore("outbox", { keyPath: "key" });
        request.result.createObjectStore("answers", { keyPath: "key" });
        request.result.createObjectStore("facts");
      };
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    return opened;
  }

  /**
   * One transaction around one store, resolved when it is durable.
   * @template T
   * @param {"outbox" | "answers" | "facts"} name @param {IDBTransactionMode} mode
   * @param {(store: IDBObjectStore, answer: (value: T) => void) => void} work
   * @returns {Promise<T>}
   */
  async function within(name, mode, work) {
    const transaction = (await database()).transaction(name, mode, { durability: "strict" });
    return new Promise((resolve, reject) => {
      /** @type {T} */
      let value;
      work(transaction.objectStore(name), (found) => (value = found));
      transaction.oncomplete = () => resolve(value);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  }

  /** @template T @param {"outbox" | "answers" | "facts"} name @param {string} key @returns {Promise<T | undefined>} */
  const read = (name, key) =>
    within(name, "readonly", (store, answer) => {
      const request = store.get(key);
      request.onsuccess = () => answer(request.result);
    });

  /** @returns {Promise<OutboxEntry[]>} */
  const entries = () =>
    within("outbox", "readonly", (store, answer) => {
      const request = store.getAll();
      request.onsuccess = () => answer(request.result);
    });

  /**
   * Read, change and write an entry in one transaction, so that a tap and a send never undo one another.
   * @param {string} key @param {(entry: OutboxEntry | undefined) => OutboxEntry | null} change null deletes it
   * @returns {Promise<OutboxEntry | null>}
   */
  const change = (key, change) =>
    within("outbox", "readwrite", (store, answer) => {
      const request = store.get(key);
      request.onsuccess = () => {
        const entry = change(request.result);
        if (entry) store.put(entry);
        else store.delete(key);
        answer(entry);
      };
    });

  /** @param {number} account @param {string} url */
  const keyOf = (account, url) => `${account} ${url}`;

  /** @type {Outbox["keep"]} */
  async function keep({ account, url, session, title, base_version }, marks) {
    await change(keyOf(account, url), (entry) => ({
      ...(entry ?? { sending: null, base_version }),
      key: keyOf(account, url),
      account,
      url,
      session,
      title,
      marks: { ...entry?.marks, ...marks },
      fresh: true,
      refused: "",
      updated_at: Date.now(),
    }));
    askForBackgroundSync();
  }

  function askForBackgroundSync() {
    if (!("navigator" in globalThis) || !navigator.serviceWorker) return;
    navigator.serviceWorker.getRegistration().then((registration) => {
      const sync = /** @type {any} */ (registration)?.sync;
      sync?.register(CHANNEL).catch(() => undefined);
    });
  }

  /** The session as the server sees it now, or null where it cannot be reached. Sets this device's clock right.
   * @type {Outbox["greet"]} */
  async function greet(session) {
    const asked = Date.now();
    try {
      const response = await fetch(session, { headers: { Accept: "application/json" }, cache: "no-store" });
      if (!response.ok) return null;
      /** @type {OutboxSession} */
      const found = await response.json();
      await setClock(found.now, asked, Date.now());
      return found;
    } catch {
      return null;
    }
  }

  /** @param {string} now @param {number} asked @param {number} answered */
  async function setClock(now, asked, answered) {
    const offset = Date.parse(now) - (asked + answered) / 2;
    await within("facts", "readwrite", (store) => store.put(offset, "offset"));
  }

  /** @type {Outbox["now"]} */
  async function now() {
    const offset = /** @type {number | undefined} */ (await read("facts", "offset")) ?? 0;
    return new Date(Date.now() + offset).toISOString();
  }

  /** @type {Outbox["device"]} */
  async function device() {
    const fresh = crypto.randomUUID();
    return within("facts", "readwrite", (store, answer) => {
      const request = store.get("device");
      request.onsuccess = () => {
        if (!request.result) store.put(fresh, "device");
        answer(request.result ?? fresh);
      };
    });
  }

  /** Send all that can be sent. Only one page or worker does it at a time. @type {Outbox["drain"]} */
  async function drain(session) {
    const waiting = await entries();
    if (!waiting.length) return { outcome: "idle", waiting: 0, account: -1 };
    const report = await ("locks" in navigator ? navigator.locks.request(CHANNEL, () => send(session)) : send(session));
    tell({ type: "report", report });
    return report;
  }

  /** @param {string} session @returns {Promise<OutboxReport>} */
  async function send(session) {
    const found = await greet(session);
    /** @type {OutboxOutcome} */
    let outcome = "sent";
    if (!found) outcome = "offline";
    else if (!found.account) outcome = "signed-out";
    else {
      for (const entry of await entries()) {
        // What somebody else marked on this device is never sent under the name of who is signed in now.
        if (entry.account !== found.account || entry.refused) continue;
        let sent = await sendEntry(entry.key, found.csrf);
        while (sent === "more") sent = await sendEntry(entry.key, found.csrf);
        if (sent !== "sent") outcome = sent;
        if (sent === "offline" || sent === "signed-out") break;
      }
    }
    const left = await entries();
    if (outcome === "sent" && left.some((entry) => entry.refused && entry.account === found?.account)) outcome = "refused";
    else if (outcome === "sent" && left.some((entry) => entry.account !== found?.account)) outcome = "foreign";
    return { outcome, waiting: left.reduce((sum, entry) => sum + count(entry), 0), account: found?.account ?? -1 };
  }

  /** @param {OutboxEntry} entry */
  function count(entry) {
    return Math.max(1, new Set([...Object.keys(entry.marks), ...Object.keys(entry.sending?.marks ?? {})]).size);
  }

  /** @param {string} key @param {string} csrf @returns {Promise<OutboxOutcome>} */
  async function sendEntry(key, csrf) {
    const entry = await change(key, (entry) => (entry ? { ...entry, ...batched(entry) } : null));
    if (!entry?.sending) return "sent";
    const { batch, base_version, marks } = entry.sending;
    const body = {
      device: await device(),
      batch,
      base_version,
      marks: Object.entries(marks).map(([pupil, mark]) => ({ pupil: Number(pupil), explicit: true, ...mark })),
    };
    const asked = Date.now();
    let response;
    try {
      response = await fetch(entry.url, {
        method: "POST",
        redirect: "manual",
        headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrf },
        body: JSON.stringify(body),
      });
    } catch {
      return "offline";
    }
    if (response.type === "opaqueredirect" || response.status === 401) return "signed-out";
    if (response.ok) return answered(key, await response.json(), asked);
    if (response.status >= 500 || response.status === 429) return "offline";
    const problem = await response.json().catch(() => ({}));
    await change(key, (entry) => (entry ? { ...unbatched(entry), refused: problem.title ?? String(response.status) } : null));
    return "refused";
  }

  /** What is to be sent becomes a batch, which from then on does not change. @param {OutboxEntry} entry @returns {Partial<OutboxEntry>} */
  function batched(entry) {
    if (entry.sending || !entry.fresh) return {};
    const sending = { batch: crypto.randomUUID(), base_version: entry.base_version, marks: entry.marks };
    return { sending, marks: {}, fresh: false };
  }

  /** @param {OutboxEntry} entry @returns {OutboxEntry} */
  function unbatched(entry) {
    return { ...entry, marks: { ...entry.sending?.marks, ...entry.marks }, sending: null, fresh: true };
  }

  /** @param {string} key @param {OutboxAnswer} answer @param {number} asked @returns {Promise<OutboxOutcome>} */
  async function answered(key, answer, asked) {
    await setClock(answer.now, asked, Date.now());
    const left = await change(key, (entry) =>
      entry?.fresh ? { ...entry, sending: null, base_version: answer.version } : null,
    );
    await within("answers", "readwrite", (store) => {
      store.put({ ...answer, key, at: Date.now() });
      const old = store.openCursor();
      old.onsuccess = () => {
        if (!old.result) return;
        if (old.result.value.at < Date.now() - FORGET_AFTER) old.result.delete();
        old.result.continue();
      };
    });
    tell({ type: "answer", key, answer });
    return left ? "more" : "sent";
  }

  /** @param {OutboxNews} news */
  function tell(news) {
    channel.postMessage(news);
    listeners.forEach((heard) => heard(news));
  }

  /** @type {Outbox} */
  const outbox = {
    keep,
    drain,
    greet,
    device,
    now,
    tell,
    entry: (account, url) => read("outbox", keyOf(account, url)),
    known: (account, url) => read("answers", keyOf(account, url)),
    discard: async (account, url) => void (await change(keyOf(account, url), () => null)),
    listen: (heard) => void listeners.push(heard),
  };
  /** @type {any} */ (globalThis).pupitreOutbox = outbox;

  if ("registration" in globalThis) {
    // The service worker: the browser wakes it when the network is back, though no page may be open any more.
    addEventListener("sync", (event) => {
      const sync = /** @type {any} */ (event);
      if (sync.tag !== CHANNEL) return;
      sync.waitUntil(
        entries().then(async ([first]) => {
          const report = first && (await drain(first.session));
          if (report?.outcome === "offline") throw new Error("still offline");
        }),
      );
    });
  } else if (navigator.serviceWorker) {
    navigator.serviceWorker.register("/service-worker.js").catch(() => undefined);
  }
})();
