// Forms: one request at a time, refusals below them, answers that dim once what they answer has changed, examples.

import { element, find, isShown } from "./dom.js";
import { follow, text } from "./language.js";
import { Refused } from "./service.js";

// Runs an action; shows its refusal at a place, and whether it succeeded.
export async function guarded(errorPlace, action) {
  isShown(errorPlace, false);
  try {
    await action();
    return true;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    errorPlace.textContent = error.message;
    isShown(errorPlace, true);
    return false;
  }
}

// Lets a form ask: `answer` is dimmed while its fields differ from what was asked, and gone after a refusal.
export function onSubmit(name, answer, action) {
  const form = find(`${name}-form`);
  const button = form.querySelector("button[type=submit]");
  const ask = async () => {
    if (button.disabled) return;
    button.disabled = true;
    button.setAttribute("aria-busy", "true");
    answer.classList.add("stale");
    const isAnswered = await guarded(find(`${name}-error`), action).finally(() => {
      button.disabled = false;
      button.removeAttribute("aria-busy");
    });
    answer.classList.toggle("stale", !isAnswered);
    if (!isAnswered) isShown(answer, false);
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  form.addEventListener("input", () => answer.classList.add("stale"));
  for (const field of form.querySelectorAll("textarea, input")) submitByKey(form, field);
}

// Enter submits and Shift+Enter begins a line; in fields of many lines Ctrl+Enter submits.
function submitByKey(form, field) {
  if (field.tagName !== "TEXTAREA") return;
  const isLong = field.hasAttribute("data-long");
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || event.shiftKey) return;
    if (isLong && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    form.requestSubmit();
  });
}

// Shows examples as buttons that fill fields and, where there is a form, submit it.
export function showExamples(place, examples, use) {
  const show = () => {
    const label = element("span", "quiet", text().tryThese);
    const buttons = examples().map((example) => {
      const button = element("button", "chip", example.label());
      button.type = "button";
      button.addEventListener("click", () => use(example));
      return button;
    });
    place.replaceChildren(label, ...buttons);
  };
  follow(show);
}

export function fillIn(field, value) {
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
