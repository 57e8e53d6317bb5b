// Light and dark: as the system has it, until the button is pressed.

import { byId } from "./elements.js";

export function watchTheme() {
  const root = document.documentElement;
  byId("theme").addEventListener("click", () => {
    const chosen = root.style.colorScheme;
    const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.style.colorScheme = dark ? "light" : "dark";
  });
}
