// The score from which a pair counts as similar, or a label as certain: one value, shown by several sliders.

import { element } from "./dom.js";
import { follow, text } from "./language.js";

const UNKNOWN_COSINE = 0.8; // where the model's card does not say what fits best

let value = 0.5;
const watchers = [];

export const threshold = () => value;
export const whenThresholdChanges = (action) => watchers.push(action);

export function startThreshold(card) {
  const best = Number(card.dev.threshold);
  if (card.score === "cosine") value = best > 0 && best < 1 ? best : UNKNOWN_COSINE;
}

function change(next) {
  value = next;
  for (const act of watchers) act();
}

export function showSlider(place, label) {
  const field = element("input");
  Object.assign(field, { type: "range", min: "0", max: "1", step: "0.01" });
  const name = element("span"), shown = element("output");
  const show = () => {
    name.textContent = text()[label];
    field.value = value;
    shown.textContent = value.toFixed(2);
  };
  field.addEventListener("input", (event) => {
    event.stopPropagation(); // it changes no question
    change(Number(field.value));
  });
  place.append(element("label", "slider", name, field, shown));
  whenThresholdChanges(show);
  follow(show);
}
