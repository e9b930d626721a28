// One pair or text: its score or label, and its tokens.

import { bar, element, find, isShown, labelledBar } from "./dom.js";
import { PAIRS, TEXTS_TO_CLASSIFY } from "./examples.js";
import { fillIn, onSubmit, showExamples } from "./forms.js";
import { isSimilar, rowOf, scoreBar, shownScore } from "./kinds.js";
import { follow, text } from "./language.js";
import { ask } from "./service.js";
import { showSnippets } from "./snippets.js";
import { showSlider, whenThresholdChanges } from "./threshold.js";
import { showTokens } from "./tokens.js";

const MOST_LABELS = 8; // that are shown as bars

let card, kind;
let answered = null; // answer, tokens and time of what is on the page

export const question = () => kind.path + (find("symmetric").checked ? "?symmetric=true" : "");
const asked = () => rowOf(kind, [find("text-a").value, find("text-b").value]);
const isSimilarity = () => kind.path === "/similarity";

function showSimilarity(answer) {
  const isCosine = card.score === "cosine";
  const judged = isSimilar(answer) ? text().similar : text().different;
  find("verdict").textContent = isCosine ? `${text().cosine} · ${judged}` : judged;
  find("score").textContent = shownScore(card, answer);
  const scale = element("p", "scale", element("span", "", text().different), element("span", "", text().similar));
  find("bars").replaceChildren(scoreBar(card, answer), scale);
}

function showLabels(answer) {
  const isSeveral = Boolean(answer.labels);
  find("verdict").textContent = isSeveral ? answer.labels.slice(1).join(" · ") : "";
  find("score").textContent = isSeveral ? answer.labels[0] ?? text().noLabel : answer.label;
  const shares = Object.entries(answer.probabilities).sort((a, b) => b[1] - a[1]);
  find("bars").replaceChildren(...shares.slice(0, MOST_LABELS).map(([label, share]) => {
    const made = labelledBar(label, share);
    if (isSeveral) made.replaceChild(bar(share, share >= card.thresholds[label] ? "yes" : "label", card.thresholds[label]), made.children[1]);
    return made;
  }), shares.length > MOST_LABELS ? element("p", "quiet small", text().moreLabels(shares.length - MOST_LABELS)) : "");
}

function show() {
  if (!answered) return;
  const { answer, tokens, ms } = answered;
  isShown(find("answer"), true);
  find("took").textContent = text().took(ms);
  (isSimilarity() ? showSimilarity : showLabels)(answer);
  showTokens([find("tokens-a"), find("tokens-b")], find("tokens-note"), tokens);
}

async function compare() {
  const row = asked(), start = performance.now();
  const answer = await ask(question(), row);
  const ms = Math.max(1, Math.round(performance.now() - start));
  answered = { answer, tokens: await ask("/tokens", row), ms };
  show();
}

function nameFields() {
  find("ask-title").textContent = !isSimilarity() ? text().classifyTitle : card.score === "cosine" ? text().cosineTitle : text().similarityTitle;
  find("ask-button").textContent = isSimilarity() ? text().compare : text().classify;
  find("text-b-label").textContent = isSimilarity() ? text().second : text().secondOptional;
}

function swap() {
  const first = find("text-a").value;
  fillIn(find("text-a"), find("text-b").value);
  fillIn(find("text-b"), first);
}

function use({ texts }) {
  fillIn(find("text-a"), texts[0]);
  fillIn(find("text-b"), texts[1] || "");
  find("ask-form").requestSubmit();
}

export function openCompare(model, kindOfModel) {
  [card, kind] = [model, kindOfModel];
  const examples = isSimilarity() ? PAIRS : TEXTS_TO_CLASSIFY(card);
  [find("text-a").value, find("text-b").value = ""] = examples[0].texts;
  find("text-b").required = isSimilarity();
  isShown(find("symmetric-row"), kind.hasOrders && card.score !== "cosine");
  isShown(find("ask"), true);
  onSubmit("ask", find("answer"), compare);
  showExamples(find("ask-examples"), () => examples, use);
  find("swap").addEventListener("click", swap);
  const showRequest = showSnippets(find("ask-snippets"), () => ({ path: question(), body: asked() }));
  find("ask-form").addEventListener("input", showRequest);
  if (isSimilarity()) showSlider(find("ask-threshold"), "threshold");
  whenThresholdChanges(show);
  follow(nameFields);
  follow(show);
}
