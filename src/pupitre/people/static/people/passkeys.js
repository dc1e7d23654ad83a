// @ts-check
/**
 * <p-passkey>: asks the browser for a passkey and posts its answer with the form inside.
 *
 * `data-create` makes a new one; `data-options` names the JSON script with the server's options, `data-ask` an address that
 * gives them. Words come by `data-cancelled` and `data-unable`.
 */

/** @param {string} text base64url @returns {ArrayBuffer} */
function bytes(text) {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (c) => c.charCodeAt(0)).buffer;
}

/** @param {ArrayBuffer} buffer @returns {string} base64url */
function text(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** @param {any[] | undefined} list */
const credentials = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

/** @param {any} key @param {boolean} passwordless */
async function create(key, passwordless) {
  const selection = { ...key.authenticatorSelection, requireResidentKey: passwordless };
  selection.residentKey = passwordless ? "required" : "discouraged";
  if (passwordless) selection.userVerification = "required";
  const publicKey = {
    ...key,
    challenge: bytes(key.challenge),
    user: { ...key.user, id: bytes(key.user.id) },
    excludeCredentials: credentials(key.excludeCredentials),
    authenticatorSelection: selection,
    extensions: { credProps: true },
  };
  const made = /** @type {any} */ (await navigator.credentials.create({ publicKey }));
  const response = {
    clientDataJSON: text(made.response.clientDataJSON),
    attestationObject: text(made.response.attestationObject),
    transports: made.response.getTransports ? made.response.getTransports() : [],
  };
  return told(made, response);
}

/** @param {any} key */
async function get(key) {
  const publicKey = { ...key, challenge: bytes(key.challenge), allowCredentials: credentials(key.allowCredentials) };
  const found = /** @type {any} */ (await navigator.credentials.get({ publicKey }));
  const response = {
    clientDataJSON: text(found.response.clientDataJSON),
    authenticatorData: text(found.response.authenticatorData),
    signature: text(found.response.signature),
    userHandle: found.response.userHandle ? text(found.response.userHandle) : null,
  };
  return told(found, response);
}

/** @param {any} credential @param {object} response */
function told(credential, response) {
  return {
    type: credential.type,
    id: credential.id,
    rawId: text(credential.rawId),
    authenticatorAttachment: credential.authenticatorAttachment || null,
    response,
    clientExtensionResults: credential.getClientExtensionResults(),
  };
}

class Passkey extends HTMLElement {
  connectedCallback() {
    this.querySelector("button[type=button]")?.addEventListener("click", () => void this.use());
  }

  async use() {
    const form = /** @type {HTMLFormElement} */ (this.querySelector("form"));
    const status = /** @type {HTMLElement} */ (this.querySelector("[role=status]"));
    if (!window.PublicKeyCredential) {
      status.textContent = this.dataset.unable || "";
      return;
    }
    try {
      const { publicKey } = await this.options();
      const alone = /** @type {HTMLInputElement | null} */ (form.querySelector("[name=passwordless]"));
      const answer = "create" in this.dataset ? await create(publicKey, !!alone?.checked) : await get(publicKey);
      /** @type {HTMLInputElement} */ (form.querySelector("[name=credential]")).value = JSON.stringify(answer);
      form.submit();
    } catch {
      status.textContent = this.dataset.cancelled || "";
    }
  }

  async options() {
    const { ask, options } = this.dataset;
    if (options) return JSON.parse(document.getElementById(options)?.textContent || "{}");
    const answer = await fetch(ask || "", { headers: { Accept: "application/json" } });
    return (await answer.json()).request_options;
  }
}

customElements.define("p-passkey", Passkey);
