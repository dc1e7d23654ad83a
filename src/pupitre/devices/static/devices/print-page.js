// @ts-check
// <print-page><button type="button">…</button></print-page>: prints the page that one looks at.

class PrintPage extends HTMLElement {
  connectedCallback() {
    this.querySelector("button")?.addEventListener("click", () => window.print());
  }
}

customElements.define("print-page", PrintPage);
