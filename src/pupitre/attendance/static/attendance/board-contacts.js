// @ts-check
/**
 * <board-contacts>: where htmx puts a pupil's contacts. It opens the sheet as soon as it arrives; without script the
 * link leads to a page that says the same.
 */
class BoardContacts extends HTMLElement {
  connectedCallback() {
    this.addEventListener("htmx:afterSwap", () => {
      const sheet = /** @type {HTMLElement | null} */ (this.querySelector("[popover]"));
      sheet?.showPopover();
    });
  }
}

customElements.define("board-contacts", BoardContacts);
