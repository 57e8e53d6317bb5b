// Light and dark: the page follows the notebook, or else the system, until the button is pressed.

import { byId } from "./elements.js";

/**
 * Listen to the button, to the system, and to the notebook, which tells its colour of text.
 * @param {() => void} [changed] called when the colours changed
 */
export function watchTheme(changed = () => {}) {
  const root = document.documentElement;
  byId("theme").addEventListener("click", () => {
    const chosen = root.style.colorScheme;
    const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.style.colorScheme = dark ? "light" : "dark";
    changed();
  });
  addEventListener("message", (event) => {
    const text = event.source === parent && /^rgba?\((\d+), (\d+), (\d+)/.exec(event.data);
    if (text) {
      const light = text.slice(1).reduce((sum, part) => sum + Number(part), 0) > (3 * 255) / 2;
      root.style.colorScheme = light ? "dark" : "light";
      changed();
    }
  });
  for (const query of ["(prefers-color-scheme: dark)", "print"]) {
    matchMedia(query).addEventListener("change", changed);
  }
}
