// @ts-check
// <copy-text data-done="…"><input readonly><button hidden>…</button><span role="status"></span></copy-text>: a button that
// takes a text along. Without script the text is marked and copied by hand.

class CopyText extends HTMLElement {
  connectedCallback() {
    const button = this.querySelector("button");
    if (!button || !navigator.clipboard) return;
    button.hidden = false;
    button.addEventListener("click", () => this.copy());
  }

  /** What is to be copied: a field's value, or the text of what stands in the element. */
  text() {
    const field = this.querySelector("input, textarea");
    if (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) return field.value;
    return this.querySelector("code")?.textContent ?? "";
  }

  async copy() {
    const status = this.querySelector("[role=status]");
    try {
      await navigator.clipboard.writeText(this.text());
      if (status) status.textContent = this.dataset.done ?? "";
    } catch {
      const field = this.querySelector("input, textarea");
      if (field instanceof HTMLInputElement) field.select();
    }
  }
}

customElements.define("copy-text", CopyText);
