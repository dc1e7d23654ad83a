// @ts-check
// <push-subscribe>: lets this browser take web push, and take it back. It asks the browser only when it is tapped.

class PushSubscribe extends HTMLElement {
  async connectedCallback() {
    this.hidden = false;
    if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) {
      this.say(this.dataset.unable);
      return;
    }
    this.find("subscribe").addEventListener("click", () => this.attempt(() => this.subscribe()));
    this.find("forget").addEventListener("click", () => this.attempt(() => this.forget()));
    await this.show();
  }

  /** @param {"subscribe" | "forget"} name @returns {HTMLButtonElement} */
  find(name) {
    return /** @type {HTMLButtonElement} */ (this.querySelector(`[data-${name}]`));
  }

  /** @param {string | undefined} text */
  say(text) {
    const status = this.querySelector("[role=status]");
    if (status) status.textContent = text ?? "";
  }

  async subscription() {
    const worker = await navigator.serviceWorker.getRegistration("/");
    return (await worker?.pushManager.getSubscription()) ?? null;
  }

  async show() {
    const found = await this.subscription();
    const isDenied = Notification.permission === "denied";
    this.find("subscribe").hidden = Boolean(found) || isDenied;
    this.find("forget").hidden = !found;
    this.say(isDenied ? this.dataset.denied : found ? this.dataset.done : this.dataset.off);
  }

  /** @param {() => Promise<void>} act */
  async attempt(act) {
    try {
      await act();
      await this.show();
    } catch {
      await this.show();
      if (Notification.permission !== "denied") this.say(this.dataset.failed);
    }
  }

  async subscribe() {
    if ((await Notification.requestPermission()) !== "granted") return;
    await navigator.serviceWorker.register("/service-worker.js", { scope: "/" });
    const worker = await navigator.serviceWorker.ready;
    const key = bytesOf(this.dataset.key ?? "");
    const found = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
    try {
      await this.send(found.toJSON());
    } catch (error) {
      await found.unsubscribe();
      throw error;
    }
  }

  async forget() {
    const found = await this.subscription();
    if (!found) return;
    await this.send({ forget: found.endpoint });
    await found.unsubscribe();
  }

  /** @param {unknown} body */
  async send(body) {
    const answer = await fetch(this.dataset.url ?? "", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": this.dataset.token ?? "" },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(String(answer.status));
  }
}

/** @param {string} text base64url without padding */
function bytesOf(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

customElements.define("push-subscribe", PushSubscribe);
