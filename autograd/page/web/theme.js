// Light and dark: the page follows the system until the button is pressed.

import { byId } from "./elements.js";

/**
 * Listen to the button and to the system.
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
  for (const query of ["(prefers-color-scheme: dark)", "print"]) {
    matchMedia(query).addEventListener("change", changed);
  }
}
