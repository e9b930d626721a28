// The lines that are nearest to a text: of the index, or of sentences of one's own, whose vectors the page compares.

import { bar, element, find, isShown } from "./dom.js";
import { LINES, QUERIES } from "./examples.js";
import { fillIn, guarded, showExamples } from "./forms.js";
import { follow, text } from "./language.js";
import { ask, askMany } from "./service.js";
import { showSnippets } from "./snippets.js";

const PAUSE = 150; // milliseconds without a key before the lines are looked for
const MOST = 5; // lines

let card;
let found = [];
let searches = 0;
let typing = null; // the timer that waits for a pause
const vectors = new Map(); // of sentences, by their text

const usesIndex = () => card.answers.includes("/search") && (!card.answers.includes("/embed") || find("in-index").checked);
const lines = () => find("own-lines").value.split(/\r?\n/).map((line, index) => ({ line: index + 1, text: line.trim() })).filter((row) => row.text);
const asked = () => ({ text: find("query").value.trim() });

function unit(vector) {
  const length = Math.hypot(...vector) || 1;
  return vector.map((number) => number / length);
}

async function vectorsOf(texts) {
  const missing = [...new Set(texts)].filter((content) => !vectors.has(content));
  const rows = missing.map((content) => ({ text: content }));
  const answers = await askMany("/embed", rows, card, (done) => {
    find("search-note").textContent = missing.length > 100 && done < missing.length ? text().progress(done, missing.length) : "";
    return true;
  });
  answers.forEach(({ vector }, index) => vectors.set(missing[index], unit(vector)));
  return texts.map((content) => vectors.get(content));
}

async function nearest(query) {
  const own = lines();
  const [target, ...others] = await vectorsOf([query, ...own.map((row) => row.text)]);
  const scores = others.map((vector) => vector.reduce((sum, number, place) => sum + number * target[place], 0));
  return own.map((row, index) => ({ ...row, score: scores[index] })).sort((a, b) => b.score - a.score).slice(0, MOST);
}

async function matchesOf(query) {
  if (!query) return [];
  if (!usesIndex()) return nearest(query);
  return (await ask("/search", { text: query })).matches;
}

// Asks what stands in the field now; an answer that a later question has overtaken is dropped.
async function search() {
  const number = ++searches, error = element("p");
  let matches = [];
  await guarded(error, async () => { matches = await matchesOf(asked().text); });
  if (number !== searches) return;
  find("search-error").textContent = error.textContent;
  isShown(find("search-error"), error.textContent);
  find("found").classList.remove("stale");
  found = matches;
  show();
}

function show() {
  find("found").replaceChildren(...found.map((match) => {
    const texts = element("div", "texts", element("p", "", match.text), element("p", "quiet small", text().line(match.line)));
    return element("li", "", texts, bar(match.score, "label"), element("span", "share", match.score.toFixed(3)));
  }));
  find("query-label").textContent = usesIndex() ? text().query : text().queryOwn;
  isShown(find("own"), !usesIndex());
}

function later(event) {
  if (event.isComposing) return; // an input method has not finished the word
  find("found").classList.add("stale");
  clearTimeout(typing);
  typing = setTimeout(search, PAUSE);
}

export function openSearch(model) {
  card = model;
  const hasBoth = card.answers.includes("/search") && card.answers.includes("/embed");
  isShown(find("search"), true);
  isShown(find("sources"), hasBoth);
  isShown(find("vector-note"), card.score !== "cosine" && !card.answers.includes("/search"));
  find("own-lines").value = LINES.join("\n");
  for (const place of [find("query"), find("own-lines")]) {
    for (const name of ["input", "compositionend"]) place.addEventListener(name, later);
  }
  for (const name of ["in-index", "in-own"]) find(name).addEventListener("change", search);
  showExamples(find("search-examples"), () => QUERIES, (example) => fillIn(find("query"), example.text));
  const showRequest = showSnippets(find("search-snippets"), () => ({ path: usesIndex() ? "/search" : "/embed", body: asked() }));
  for (const name of ["input", "change"]) find("search").addEventListener(name, showRequest);
  follow(show);
}
