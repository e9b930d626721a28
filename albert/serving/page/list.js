// Many rows: pasted or from a file, answered in parts, sorted and filtered, copied or saved as CSV.

import { copyText, download, element, find, isShown } from "./dom.js";
import { decode, parse, readTable, writeCsv, writeLines } from "./csv.js";
import { guarded, fillIn, onSubmit } from "./forms.js";
import { rowOf } from "./kinds.js";
import { follow, text } from "./language.js";
import { Refused, askMany } from "./service.js";
import { showSlider, whenThresholdChanges } from "./threshold.js";

const AT_ONCE = 100; // rows on the page; a button shows more
const MOST_BYTES = 32 << 20; // of a file

let card, kind, examples, question;
let scored = []; // rows and answers on the page, with their numbers
let count = AT_ONCE;
let isCancelled = false;
let read = null; // name, rows and columns of the file that was read

// The rows of the field, each with the number of its line.
function rows() {
  const lines = find("lines").value.split(/\r?\n/).map((line, index) => [line.split("\t"), index + 1]);
  const full = lines.filter(([cells]) => cells.join("").trim());
  const untabbed = kind.needsBoth && full.find(([cells]) => cells.length < 2);
  if (untabbed) throw new Refused(text().noTab(untabbed[1]));
  return full.map(([cells]) => rowOf(kind, cells));
}

function showProgress(done, all) {
  isShown(find("progress"), all > done && all > AT_ONCE);
  find("progress-bar").max = all;
  find("progress-bar").value = done;
  find("progress-text").textContent = text().progress(done, all);
  return !isCancelled;
}

async function score() {
  isCancelled = false;
  const asked = rows();
  const answers = await askMany(question(), asked, card, (done) => showProgress(done, asked.length))
    .finally(() => isShown(find("progress"), false));
  scored = answers.map((answer, index) => ({ row: asked[index], answer, number: index + 1 }));
  count = AT_ONCE;
  show();
}

function selected() {
  const group = find("filter").value, order = { falling: -1, rising: 1 }[find("order").value] || 0;
  const chosen = scored.filter(({ answer }) => !group || [kind.group(answer)].flat().includes(group));
  return order ? [...chosen].sort((a, b) => order * (kind.score(a.answer) - kind.score(b.answer))) : chosen;
}

function item({ row, answer, number }) {
  const [made, share] = kind.shown(answer);
  const texts = element("div", "texts", ...kind.texts(row, answer));
  const parts = [texts, made, element("span", "share", share)];
  return element("li", made ? "" : "wide", element("span", "number quiet", String(number)), ...parts.filter(Boolean));
}

function show() {
  isShown(find("scored"), scored.length > 0);
  if (!scored.length) return;
  const all = selected();
  find("summary").textContent = kind.summary(scored) + (all.length < scored.length ? ` · ${text().shownRows(all.length)}` : "");
  find("rows").replaceChildren(...all.slice(0, count).map(item));
  isShown(find("more-rows"), all.length > count);
  find("more-rows").textContent = text().moreRows(all.length - count);
}

const table = () => [kind.columns, ...selected().flatMap(({ row, answer, number }) => kind.cells(row, answer, number))];

function showChoices() {
  const chosen = find("filter").value;
  find("filter").replaceChildren(...[["", text().all], ...kind.groups()].map(([value, label]) => new Option(label, value)));
  find("filter").value = chosen;
  find("list-title").textContent = text().listTitles[kind.path];
  find("lines-label").textContent = text().linesLabels[kind.path];
  find("file-note").textContent = read ? text().readFile(read.name, read.rows, read.columns.join(text().comma)) : "";
  show();
}

async function readFile(file) {
  read = null;
  await guarded(find("list-error"), async () => {
    if (file.size > MOST_BYTES) throw new Refused(text().fileTooLarge(MOST_BYTES >> 20));
    const { columns, rows: found } = readTable(file.name, decode(await file.arrayBuffer()), kind.names.length);
    if (!found.length) throw new Refused(text().emptyFile(file.name));
    read = { name: file.name, rows: found.length, columns };
    fillIn(find("lines"), writeLines(found));
  });
  showChoices();
}

// Cells that were copied from a spreadsheet may be in quotes.
function onPaste(event) {
  const pasted = event.clipboardData.getData("text/plain");
  if (!/(^|\t|\n)"/.test(pasted) || !pasted.includes("\t")) return;
  event.preventDefault();
  document.execCommand("insertText", false, writeLines(parse(pasted, "\t")));
}

async function copyTable() {
  await copyText(writeLines(table()) + "\n");
  find("copy-table").textContent = text().copied;
  setTimeout(() => { find("copy-table").textContent = text().copyTable; }, 1500);
}

export function openList(model, kindOfModel, questionOf, exampleRows) {
  [card, kind, question, examples] = [model, kindOfModel, questionOf, exampleRows];
  isShown(find("list"), true);
  onSubmit("list", find("scored"), score);
  find("example").addEventListener("click", () => fillIn(find("lines"), writeLines(examples())));
  find("file-button").addEventListener("click", () => find("file").click());
  find("file").addEventListener("change", () => {
    if (find("file").files[0]) readFile(find("file").files[0]);
    find("file").value = "";
  });
  find("lines").addEventListener("paste", onPaste);
  find("cancel").addEventListener("click", () => { isCancelled = true; });
  for (const name of ["order", "filter"]) {
    find(name).addEventListener("change", () => {
      count = AT_ONCE;
      show();
    });
  }
  find("more-rows").addEventListener("click", () => {
    count += AT_ONCE * 5;
    show();
  });
  find("copy-table").addEventListener("click", copyTable);
  find("save").addEventListener("click", () => download(`${kind.path.slice(1)}.csv`, writeCsv(table())));
  isShown(find("filter-row"), kind.groups().length > 0);
  if (kind.hasThreshold) {
    showSlider(find("list-threshold"), kind.thresholdLabel || "threshold");
    whenThresholdChanges(show);
  }
  follow(showChoices);
}
