// The language of the page, which every view follows.

import { TEXTS } from "./texts.js";

const followers = [];
let language = localStorage.getItem("language") || (navigator.language.startsWith("zh") ? "zh" : "en");

export const current = () => language;
export const text = () => TEXTS[language];
export const follow = (translate) => followers.push(translate);

export function translate(root = document) {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const place of root.querySelectorAll("[data-text]")) place.textContent = text()[place.dataset.text];
  for (const place of root.querySelectorAll("[data-hint]")) place.title = text()[place.dataset.hint];
  for (const place of root.querySelectorAll("[data-name]")) place.setAttribute("aria-label", text()[place.dataset.name]);
  for (const show of followers) show();
}

// Changes the language by a button; `ask` asks the service again for what it says in the language of the page.
export function watchButton(button, ask) {
  follow(() => { button.textContent = text().other; });
  button.addEventListener("click", async () => {
    language = language === "zh" ? "en" : "zh";
    localStorage.setItem("language", language);
    await ask().catch(() => {}); // the old sentences are better than none
    translate();
  });
}
