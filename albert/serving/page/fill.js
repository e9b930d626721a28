// Candidates for masks, and the sentence with those that are chosen.

import { element, find, isShown, percent, bar } from "./dom.js";
import { MASKED } from "./examples.js";
import { fillIn, onSubmit, showExamples } from "./forms.js";
import { follow, text } from "./language.js";
import { ask } from "./service.js";
import { showSnippets } from "./snippets.js";

const MASK = "[MASK]";

let answered = null; // text and masks on the page
let chosen = []; // the number of the candidate for each mask

const asked = () => ({ text: find("masked").value });
const plain = (token) => token.replace(/^(##|▁)/, "");

function candidate(mask, { token, probability }, index, best) {
  const made = element("button", "labelled candidate", element("span", "", token), bar(probability / best, "label"), element("span", "", percent(probability)));
  made.type = "button";
  made.setAttribute("aria-pressed", chosen[mask] === index);
  made.addEventListener("click", () => {
    chosen[mask] = index;
    show();
  });
  return made;
}

function completed({ content, masks }) {
  return content.split(MASK).flatMap((part, index) => (index === 0 ? [part] : [
    masks[index - 1] ? element("mark", "", plain(masks[index - 1][chosen[index - 1]].token)) : MASK, part]));
}

function show() {
  if (!answered) return;
  isShown(find("filled"), true);
  find("completed").replaceChildren(...completed(answered));
  find("candidates").replaceChildren(...answered.masks.flatMap((candidates, mask) => [
    element("h3", "", text().mask(mask + 1)),
    ...candidates.map((found, index) => candidate(mask, found, index, candidates[0].probability)),
  ]));
}

async function fill() {
  const row = asked();
  answered = { content: row.text, ...await ask("/fill-mask", row) };
  chosen = answered.masks.map(() => 0);
  show();
}

export function openFill() {
  find("masked").value = MASKED[0].text;
  isShown(find("fill"), true);
  onSubmit("fill", find("filled"), fill);
  showExamples(find("fill-examples"), () => MASKED, (example) => {
    fillIn(find("masked"), example.text);
    find("fill-form").requestSubmit();
  });
  const showRequest = showSnippets(find("fill-snippets"), () => ({ path: "/fill-mask", body: asked() }));
  find("fill-form").addEventListener("input", showRequest);
  follow(show);
}
