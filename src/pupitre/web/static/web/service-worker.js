// @ts-check
/// <reference lib="webworker" />
// The service worker. The view that serves it (web/views.py) puts `self.pupitreBuild` before it: the build's version, the
// shell's assets under their hashed names, the offline page, and the scripts of contexts that work in the background.
//
// Assets are taken from the device. Pages come from the network; only those that the server marks with `Pupitre-Keep` (the
// teacher's day and its registers) are kept, per account, and shown when the network does not answer. What was kept is
// deleted as soon as anybody else, or nobody, is signed in.

/** @typedef {{version: string, assets: string[], offline: string, scripts: string[], signOut: string}} Build */

(() => {
  const worker = /** @type {ServiceWorkerGlobalScope & {pupitreBuild: Build}} */ (/** @type {unknown} */ (self));
  const BUILD = worker.pupitreBuild;
  const ASSETS = `assets-${BUILD.version}`;
  const FACTS = "facts";
  /** @param {string} account */
  const pagesOf = (account) => `pages-${account}`;
  /** How long a page with a kept copy may take: a network that crawls is none. */
  const PATIENCE = 4_000;
  /** A day that was kept so lately is not asked for again. */
  const FRESH = 10 * 60_000;
  const PHOTO = /^\/s\/[^/]+\/people\/\d+\/photo$/;
  const NOBODY = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 36 36"><path fill="#cbd5cf" d="M0 0h36v36H0z"/><path fill="#7a968c" d="M18 8a6 6 0 1 1 0 12 6 6 0 0 1 0-12M7 34c0-8 5-12 11-12s11 4 11 12z"/></svg>';

  for (const script of BUILD.scripts) worker.importScripts(script);

  worker.addEventListener("install", (event) => {
    event.waitUntil(install().then(() => worker.skipWaiting()));
  });

  async function install() {
    const cache = await caches.open(ASSETS);
    await cache.addAll(BUILD.assets);
    await keepOffline({});
  }

  /** @param {Record<string, string>} headers */
  async function keepOffline(headers) {
    const response = await fetch(BUILD.offline, { credentials: "omit", cache: "reload", headers });
    await (await caches.open(ASSETS)).put(BUILD.offline, response);
  }

  /** The offline page speaks the language of the page that was seen last. @param {Response} seen */
  async function followLanguage(seen) {
    const language = seen.headers.get("Content-Language");
    const kept = await caches.match(BUILD.offline, { cacheName: ASSETS });
    if (!language || !kept || kept.headers.get("Content-Language") === language) return;
    await keepOffline({ "Accept-Language": language }).catch(() => undefined);
  }

  worker.addEventListener("activate", (event) => {
    event.waitUntil(tidy().then(() => worker.clients.claim()));
  });

  async function tidy() {
    const old = (await caches.keys()).filter((name) => name.startsWith("assets-") && name !== ASSETS);
    await Promise.all(old.map((name) => caches.delete(name)));
  }

  worker.addEventListener("fetch", (event) => {
    const { request } = event;
    const url = new URL(request.url);
    if (url.origin !== worker.location.origin) return;
    if (request.method === "POST" && url.pathname === BUILD.signOut) {
      event.waitUntil(Promise.all([setAccount("0"), stopTelling()]));
    }
    if (request.method !== "GET") return;
    if (url.pathname.startsWith("/static/")) event.respondWith(asset(request));
    else if (PHOTO.test(url.pathname)) event.respondWith(photo(request));
    else if (request.mode === "navigate") event.respondWith(page(event, url));
  });

  /** @param {Request} request */
  async function asset(request) {
    return (await caches.match(request, { cacheName: ASSETS })) ?? fetch(request);
  }

  /** A photo's address changes with the photo, so a kept one is right. Where none is kept, nobody is drawn. @param {Request} request */
  async function photo(request) {
    const cache = await caches.open(`${pagesOf(await currentAccount())}-photos`);
    const kept = await cache.match(request, { ignoreVary: true });
    if (kept) return kept;
    try {
      const response = await fetch(request);
      if (response.ok && response.headers.get("Content-Type")?.startsWith("image/")) await cache.put(request, response.clone());
      return response;
    } catch {
      return new Response(NOBODY, { headers: { "Content-Type": "image/svg+xml" } });
    }
  }

  /** From the network if it answers in time; else the copy that this account kept; else the page that says so.
   * @param {FetchEvent} event @param {URL} url */
  async function page(event, url) {
    const online = fetch(event.request).then(async (response) => {
      await noteAccount(response);
      if (isKept(response)) event.waitUntil(keep(url.href, response.clone()));
      event.waitUntil(followLanguage(response));
      return response;
    });
    const kept = await keptCopy(url);
    try {
      if (!kept) return await online;
      return await Promise.race([online.then((answer) => (isAway(answer) ? kept : answer)), later(PATIENCE).then(() => kept)]);
    } catch {
      return kept ?? (await caches.match(BUILD.offline, { cacheName: ASSETS })) ?? Response.error();
    } finally {
      online.catch(() => undefined);
    }
  }

  /** @param {number} milliseconds */
  const later = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

  /** Nobody answers behind the proxy, or too many ask: as good as no network. @param {Response} response */
  const isAway = (response) => response.status >= 502 && response.status <= 504;

  /** @param {Response} response */
  const isKept = (response) => response.ok && !response.redirected && response.headers.has("Pupitre-Keep");

  /** @param {string} href @param {Response} response */
  async function keep(href, response) {
    const account = response.headers.get("Pupitre-Account");
    if (!account || account === "0" || account !== (await currentAccount())) return false;
    const url = new URL(href);
    url.hash = "";
    if (response.headers.get("Pupitre-Keep") === "day") await setFact("day", url.href);
    await (await caches.open(pagesOf(account))).put(url.href, response);
    return true;
  }

  /** @param {URL} url @returns {Promise<Response | undefined>} */
  async function keptCopy(url) {
    const account = await currentAccount();
    if (account === "0") return undefined;
    const cache = await caches.open(pagesOf(account));
    const found = await cache.match(url.href.split("#")[0], { ignoreVary: true });
    if (found || url.pathname !== "/") return found;
    const day = await fact("day");
    return day ? cache.match(day, { ignoreVary: true }) : undefined;
  }

  // ---- who is signed in, as the server's answers say

  /** @param {Response} response */
  async function noteAccount(response) {
    const account = response.headers.get("Pupitre-Account");
    if (account !== null && account !== (await currentAccount())) await setAccount(account);
  }

  /** @returns {Promise<string>} */
  const currentAccount = async () => (await fact("account")) ?? "0";

  /** From now on only this account's pages are kept, or nobody's. @param {string} account */
  async function setAccount(account) {
    await setFact("account", account);
    const owned = account === "0" ? [] : [pagesOf(account), `${pagesOf(account)}-photos`];
    const others = (await caches.keys()).filter((name) => name.startsWith("pages-") && !owned.includes(name));
    await Promise.all(others.map((name) => caches.delete(name)));
    const facts = await caches.open(FACTS);
    await Promise.all(["day", "kept"].map((name) => facts.delete(`/facts/${name}`)));
    if (account !== "0") await noteOwner(account);
  }

  /** What the school tells the last one who was signed in here is not for whoever comes after. @param {string} account */
  async function noteOwner(account) {
    const before = await fact("owner");
    if (before !== undefined && before !== account) await stopTelling();
    await setFact("owner", account);
  }

  async function stopTelling() {
    await (await worker.registration.pushManager?.getSubscription())?.unsubscribe();
  }

  /** @param {string} name */
  async function fact(name) {
    return (await caches.match(`/facts/${name}`, { cacheName: FACTS }))?.text();
  }

  /** @param {string} name @param {string} value */
  async function setFact(name, value) {
    await (await caches.open(FACTS)).put(`/facts/${name}`, new Response(value));
  }

  // ---- the day is kept in the morning

  worker.addEventListener("message", (event) => {
    if (event.data?.type === "keep") event.waitUntil(keepDay(event.data));
  });

  /** @typedef {{account: number, urls: string[], at: string, count: number}} KeptDay */

  /** @param {{account: number, urls: string[]}} wanted */
  async function keepDay({ account, urls }) {
    const told = await fact("kept");
    /** @type {KeptDay | undefined} */
    let kept = told && JSON.parse(told);
    if (!kept || kept.account !== account || kept.urls.join() !== urls.join() || Date.now() - Date.parse(kept.at) > FRESH) {
      kept = { account, urls, at: new Date().toISOString(), count: await keepAll(urls) };
      await forgetOthers(String(account), urls);
      if (kept.count === urls.length) await setFact("kept", JSON.stringify(kept));
    }
    const channel = new BroadcastChannel("pupitre-outbox");
    channel.postMessage({ type: "kept", at: kept.at, count: kept.count, of: urls.length });
    channel.close();
  }

  /** @param {string[]} urls @returns {Promise<number>} how many were kept */
  async function keepAll(urls) {
    let count = 0;
    for (const url of urls.filter((url) => new URL(url).origin === worker.location.origin)) {
      try {
        const response = await fetch(url, { credentials: "same-origin", redirect: "manual", cache: "no-store" });
        await noteAccount(response);
        const text = await response.clone().text();
        if (!isKept(response) || !(await keep(url, response))) continue;
        count += 1;
        await keepPhotos(text, url);
      } catch {
        break;
      }
    }
    return count;
  }

  /** @param {string} text @param {string} base */
  async function keepPhotos(text, base) {
    for (const [, address] of text.matchAll(/<img class="avatar" src="([^"]+)"/g)) {
      const url = new URL(address, base);
      if (PHOTO.test(url.pathname)) await photo(new Request(url));
    }
  }

  /** Yesterday's registers do not stay on the device. @param {string} account @param {string[]} urls */
  async function forgetOthers(account, urls) {
    const cache = await caches.open(pagesOf(account));
    const old = (await cache.keys()).filter((request) => !urls.includes(request.url));
    await Promise.all(old.map((request) => cache.delete(request)));
  }

  // ---- what the school tells: web push (messaging/actions/deliveries.py writes the message)

  worker.addEventListener("push", (event) => {
    /** @type {{title?: string, url?: string, tag?: string}} */
    const told = event.data?.json() ?? {};
    const icon = "/static/web/icons/icon-192.png";
    const shown = worker.registration.showNotification(told.title ?? "Pupitre", { tag: told.tag, icon, data: told.url });
    event.waitUntil(shown);
  });

  worker.addEventListener("notificationclick", (event) => {
    event.notification.close();
    event.waitUntil(openPage(new URL(event.notification.data || "/notifications", worker.location.origin)));
  });

  /** In a window that is open already, if there is one. @param {URL} url */
  async function openPage(url) {
    if (url.origin !== worker.location.origin) return;
    const open = await worker.clients.matchAll({ type: "window" });
    const found = open.find((client) => client.url === url.href) ?? open[0];
    if (!found) await worker.clients.openWindow(url.href);
    else if (found.url === url.href) await found.focus();
    else await (await found.focus()).navigate(url.href);
  }
})();
