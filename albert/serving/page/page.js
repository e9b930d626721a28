// The page: asks the service what its model can do, and opens the views for it.

import { element, find, isShown } from "./dom.js";
import { openCompare, question } from "./compare.js";
import { listOf } from "./examples.js";
import { openFill } from "./fill.js";
import { guarded } from "./forms.js";
import { kindOf } from "./kinds.js";
import { follow, text, translate, watchButton } from "./language.js";
import { openList } from "./list.js";
import { openRead } from "./read.js";
import { openSearch } from "./search.js";
import { ask, whenTokenIsNeeded } from "./service.js";
import { openTag } from "./tag.js";
import { startThreshold } from "./threshold.js";

let card = null;

function showHeader() {
  document.title = card ? `${card.name || "ALBERT"} · ALBERT` : "ALBERT";
  if (!card) return;
  find("name").textContent = card.name || "ALBERT";
  const [score] = Object.entries(card.dev);
  const parts = [
    ["ALBERT", card.size, card.family && `(${card.family})`].filter(Boolean).join(" "),
    card.parameters && text().parameters(card.parameters), card.task && text().task(card.task),
    card.date && text().trained(card.date), score && `${text().dev_} ${score.join(" ")}`,
  ];
  find("about").textContent = parts.filter(Boolean).map((part) => part.replaceAll(" ", "\u00a0")).join(" · "); // broken between parts only
  const dev = Object.entries(card.dev).map((pair) => pair.join(" ")).join(text().comma);
  const thresholds = Object.entries(card.thresholds || {}).map(([label, least]) => `${label} ${least}`).join(text().comma);
  const rows = [
    [text().architecture, card.layers && text().layers(card.layers, card.hidden_size)], [text().dev, dev],
    [text().labels, card.labels.join(text().comma)], [text().thresholds, thresholds], [text().types, card.types.join(text().comma)],
    [text().vectors, card.vector], [text().limits, text().limitsOf(card)], [text().engine, card.engine],
    ...Object.entries(card.refusals).map(([path, reason]) => [path, reason]),
  ];
  find("details").replaceChildren(...rows.filter(([, value]) => value).flatMap(([name, value]) => [element("dt", "", name), element("dd", "", value)]));
  find("version").textContent = `ALBERT-zh ${card.version}`;
}

function openViews() {
  const can = (path) => card.answers.includes(path);
  const kind = kindOf(card);
  startThreshold(card);
  if (can("/similarity") || can("/classify")) openCompare(card, kind);
  else if (can("/ner")) openTag(card);
  else if (can("/mrc")) openRead(card);
  if (kind) openList(card, kind, kind.hasOrders ? question : () => kind.path, () => listOf(kind, card));
  if (can("/search") || can("/embed")) openSearch(card);
  if (can("/fill-mask")) openFill();
}

async function readReasons() {
  if (!card) return;
  const { refusals, vector } = await ask("/model");
  Object.assign(card, { refusals, vector });
}

async function open() {
  isShown(find("loading"), true);
  const isOpen = await guarded(find("open-error"), async () => { card = await ask("/model"); });
  isShown(find("loading"), false);
  if (!isOpen) return;
  isShown(find("access"), false);
  isShown(find("model"), true);
  isShown(find("foot"), true);
  openViews();
  translate();
}

whenTokenIsNeeded(() => isShown(find("access"), true));
find("access").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("token", find("token").value);
  if (card) isShown(find("access"), false);
  else open();
});
watchButton(find("language"), readReasons);
follow(showHeader);
translate();
open();
