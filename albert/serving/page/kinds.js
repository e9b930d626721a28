// What a model answers about rows, for the list: how a row is asked, shown, sorted, filtered and written as CSV.

import { bar, element, percent } from "./dom.js";
import { text } from "./language.js";
import { entityText } from "./entities.js";
import { excerpt } from "./marks.js";
import { threshold } from "./threshold.js";

const pairTexts = (row) => [element("p", "", row.text_a), element("p", "quiet", row.text_b || "")];
const withoutThreshold = { hasThreshold: false };

export const isSimilar = (answer) => answer.score > threshold();
export const shownScore = (card, answer) => (card.score === "cosine" ? answer.score.toFixed(3) : percent(answer.score));

export function scoreBar(card, answer) {
  const isJudged = isSimilar(answer);
  return bar(answer.score, isJudged ? "yes" : "", threshold());
}

function similarity(card) {
  return {
    path: "/similarity", names: ["text_a", "text_b"], needsBoth: true, hasThreshold: true, hasOrders: card.score !== "cosine",
    texts: pairTexts,
    score: (answer) => answer.score,
    shown: (answer) => [scoreBar(card, answer), shownScore(card, answer)],
    group: (answer) => (isSimilar(answer) ? "similar" : "different"),
    groups: () => [["similar", text().similar], ["different", text().different]],
    summary: (rows) => text().summary(rows.length, rows.filter(({ answer }) => isSimilar(answer)).length),
    columns: ["text_a", "text_b", "score", "similar"],
    cells: (row, answer) => [[row.text_a, row.text_b, answer.score, isSimilar(answer) ? 1 : 0]],
  };
}

function classification(card) {
  return {
    path: "/classify", names: ["text_a", "text_b"], hasThreshold: true, thresholdLabel: "certainty", hasOrders: true,
    texts: pairTexts,
    score: (answer) => answer.score,
    shown: (answer) => [bar(answer.score, "label", threshold()), `${answer.label} ${percent(answer.score)}`],
    group: (answer) => (isSimilar(answer) ? answer.label : "?"),
    groups: () => [...card.labels.map((label) => [label, label]), ["?", text().uncertain]],
    summary: (rows) => text().summaryLabels(rows.length, rows.filter(({ answer }) => !isSimilar(answer)).length),
    columns: ["text_a", "text_b", "label", "score"],
    cells: (row, answer) => [[row.text_a, row.text_b || "", answer.label, answer.score]],
  };
}

function labelling(card) {
  const best = (answer) => Math.max(...Object.values(answer.probabilities));
  return {
    path: "/classify", names: ["text_a", "text_b"], hasOrders: true, ...withoutThreshold,
    texts: pairTexts,
    score: best,
    shown: (answer) => [bar(best(answer), "label"), answer.labels.join(" · ") || text().noLabel],
    group: (answer) => answer.labels,
    groups: () => card.labels.map((label) => [label, label]),
    summary: (rows) => text().rows(rows.length),
    columns: ["text_a", "text_b", "labels", ...card.labels],
    cells: (row, answer) => [[row.text_a, row.text_b || "", answer.labels.join("|"), ...card.labels.map((label) => answer.probabilities[label])]],
  };
}

function tagging(card) {
  const least = (answer) => Math.min(1, ...answer.entities.map(({ score }) => score));
  return {
    path: "/ner", names: ["text"], ...withoutThreshold,
    texts: (row, answer) => [entityText(row.text, answer.entities, card.types)],
    score: least,
    shown: (answer) => [null, text().entities(answer.entities.length)],
    group: (answer) => (answer.entities.length ? answer.entities.map(({ type }) => type) : "-"),
    groups: () => [...card.types.map((type) => [type, type]), ["-", text().noEntity]],
    summary: (rows) => text().summaryEntities(rows.length, rows.reduce((sum, { answer }) => sum + answer.entities.length, 0)),
    columns: ["row", "text", "entity", "type", "start", "end", "score"],
    cells: (row, answer, number) => (answer.entities.length ? answer.entities : [{}]).map((found) =>
      [number, row.text, found.text ?? "", found.type ?? "", found.start ?? "", found.end ?? "", found.score ?? ""]),
  };
}

function reading() {
  return {
    path: "/mrc", names: ["question", "context"], needsBoth: true, ...withoutThreshold,
    texts: (row, answer) => [element("p", "", row.question), excerpt(row.context, answer.answers[0])],
    score: (answer) => answer.answers[0]?.score ?? 0,
    shown: (answer) => [null, answer.answers[0] ? `${answer.answers[0].text} ${percent(answer.answers[0].score)}` : text().noAnswer],
    group: () => "", groups: () => [],
    summary: (rows) => text().rows(rows.length),
    columns: ["question", "context", "answer", "start", "end", "score"],
    cells: (row, { answers: [found = {}] }) => [[row.question, row.context, found.text ?? "", found.start ?? "", found.end ?? "", found.score ?? ""]],
  };
}

export function kindOf(card) {
  if (card.answers.includes("/similarity")) return similarity(card);
  if (card.answers.includes("/classify")) return card.thresholds ? labelling(card) : classification(card);
  if (card.answers.includes("/ner")) return tagging(card);
  if (card.answers.includes("/mrc")) return reading();
  return null;
}

export function rowOf(kind, cells) {
  const row = { [kind.names[0]]: cells[0] };
  if (kind.names[1] && (cells[1] || kind.needsBoth)) row[kind.names[1]] = cells[1] || "";
  return row;
}
