// Entities of one text.

import { element, find, isShown, percent } from "./dom.js";
import { entityText, legend, typeName } from "./entities.js";
import { TEXTS_TO_TAG } from "./examples.js";
import { fillIn, onSubmit, showExamples } from "./forms.js";
import { follow, text } from "./language.js";
import { ask } from "./service.js";
import { showSnippets } from "./snippets.js";

let card;
let answered = null; // text and entities on the page

const asked = () => ({ text: find("tagged").value });

function show() {
  if (!answered) return;
  const { content, entities } = answered;
  isShown(find("entities"), true);
  find("entity-text").replaceChildren(entityText(content, entities, card.types));
  find("legend").replaceChildren(...legend(entities, card.types));
  find("entity-note").textContent = entities.length ? "" : text().noEntity;
  isShown(find("entity-table"), entities.length);
  const head = element("tr", "", ...[text().entity, text().type, text().place, text().score].map((name) => element("th", "", name)));
  find("entity-table").replaceChildren(head, ...entities.map(({ text: found, type, start, end, score }) => element("tr", "",
    ...[found, typeName(type), `${start}–${end}`, percent(score)].map((cell) => element("td", "", cell)))));
}

async function tag() {
  const row = asked();
  answered = { content: row.text, ...await ask("/ner", row) };
  show();
}

export function openTag(model) {
  card = model;
  find("tagged").value = TEXTS_TO_TAG[0].text;
  isShown(find("tag"), true);
  onSubmit("tag", find("entities"), tag);
  showExamples(find("tag-examples"), () => TEXTS_TO_TAG, (example) => {
    fillIn(find("tagged"), example.text);
    find("tag-form").requestSubmit();
  });
  const showRequest = showSnippets(find("tag-snippets"), () => ({ path: "/ner", body: asked() }));
  find("tag-form").addEventListener("input", showRequest);
  follow(show);
}
