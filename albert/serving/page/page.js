"use strict";

const TEXTS = {
  zh: {
    other: "English", docs: "接口文档", token: "本服务需要令牌", unlock: "确定",
    about: (card) => `最长 ${card.max_seq_length} 个词元 · 引擎 ${card.engine}`,
    similarityTitle: "两句话的意思一样吗？", cosineTitle: "两句话的意思有多近？", cosine: "句向量的余弦", classifyTitle: "分类",
    first: "第一句", second: "第二句", secondOptional: "第二句（可不填）",
    compare: "比较", classify: "分类", symmetric: "两种顺序取平均",
    similar: "意思相同", different: "意思不同", took: (ms) => `用时 ${ms} 毫秒`,
    tokens: "模型读到的词元",
    unknown: "[UNK]：词表里没有的字符。", cut: "划掉的词元超出长度，模型没有读到。",
    curl: "命令行", copy: "复制", copied: "已复制",
    listTitle: "一次比较多对", listTitleClassify: "一次分类多条", lines: "每行一对，两句之间用制表符（Tab）隔开；可以直接从表格粘贴",
    linesClassify: "每行一条；一对的两句之间用制表符（Tab）隔开",
    listButton: "全部计算", example: "填入示例", copyTable: "复制表格",
    summary: (rows, similar) => `${rows} 对，其中 ${similar} 对意思相同`, rows: (rows) => `${rows} 行`,
    noTab: (line) => `第 ${line} 行没有制表符：两句之间请用 Tab 分隔。`,
    fillTitle: "填空", masked: "在要填的位置写 [MASK]", fillButton: "填空", mask: (n) => `第 ${n} 个 [MASK]`,
    searchTitle: "找相近的句子", query: "边输入边找：索引里最相近的几行", line: (n) => `第 ${n} 行`,
    unreachable: "无法连接服务，请确认服务仍在运行。",
  },
  en: {
    other: "中文", docs: "API", token: "This service needs a token", unlock: "OK",
    about: (card) => `up to ${card.max_seq_length} tokens · engine ${card.engine}`,
    similarityTitle: "Do two sentences mean the same?", cosineTitle: "How close are two sentences?", cosine: "cosine of the sentence vectors", classifyTitle: "Classify",
    first: "First sentence", second: "Second sentence", secondOptional: "Second sentence (optional)",
    compare: "Compare", classify: "Classify", symmetric: "mean of both orders",
    similar: "same meaning", different: "different meaning", took: (ms) => `took ${ms} ms`,
    tokens: "Tokens as the model reads them",
    unknown: "[UNK]: characters that are not in the vocabulary.", cut: "Tokens struck out are over the length limit: the model did not read them.",
    curl: "Command line", copy: "Copy", copied: "Copied",
    listTitle: "Compare a list", listTitleClassify: "Classify a list", lines: "One pair per line, separated by a tab; you can paste cells of a spreadsheet",
    linesClassify: "One text per line; the two texts of a pair are separated by a tab",
    listButton: "Score all", example: "Insert an example", copyTable: "Copy as table",
    summary: (rows, similar) => `${rows} pairs, ${similar} with the same meaning`, rows: (rows) => `${rows} rows`,
    noTab: (line) => `Line ${line} has no tab: put one between the two sentences.`,
    fillTitle: "Fill in the blanks", masked: "Write [MASK] where a word is missing", fillButton: "Fill", mask: (n) => `[MASK] number ${n}`,
    searchTitle: "Find similar lines", query: "Type, and the nearest lines of the index appear", line: (n) => `line ${n}`,
    unreachable: "The service does not respond: check that it is still running.",
  },
};
const EXAMPLE = [["明天北京会下雨吗", "北京明天有雨吗"], ["我喜欢妈妈做的汤", "妈妈做的汤我很喜欢喝"], ["怎么换手机号码", "手机号码多少钱"]];
const PAUSE = 150; // milliseconds without a key before the lines are looked for
const MOST_LABELS = 8; // that are shown as bars

const find = (id) => document.getElementById(id);
let language = localStorage.getItem("language") || (navigator.language.startsWith("zh") ? "zh" : "en");
let card = null;
let answered = null; // the question, tokens and time of the answer on the page
let scored = [];
let found = []; // the lines that are nearest to the query on the page
let searches = 0;
let typing = null; // the timer that waits for a pause
const text = () => TEXTS[language];
const isSimilarity = () => card.answers.includes("/similarity");
const isCosine = () => isSimilarity() && card.score === "cosine";
const percent = (share) => `${(share * 100).toFixed(1)}%`;

function element(tag, className, content) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (content !== undefined) made.textContent = content;
  return made;
}

class Refused extends Error {}

async function ask(path, body) {
  const headers = {};
  const token = sessionStorage.getItem("token");
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response, answer;
  try {
    response = await fetch(path.slice(1), { method: body === undefined ? "GET" : "POST", headers, body: body && JSON.stringify(body) });
    answer = await response.json();
  } catch (error) {
    throw new Refused(text().unreachable);
  }
  if (response.status === 401) find("access").hidden = false;
  if (!response.ok) throw new Refused(answer.error);
  return answer;
}

// Sends a form, one request at a time, and shows a refusal below it.
function onSubmit(form, errorPlace, action) {
  find(form).addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = find(form).querySelector("button:not(.plain)");
    button.disabled = true;
    find(errorPlace).hidden = true;
    try {
      await action();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      find(errorPlace).textContent = error.message;
      find(errorPlace).hidden = false;
    } finally {
      button.disabled = false;
    }
  });
}

const question = () => (isSimilarity() ? "/similarity" : "/classify") + (find("symmetric").checked ? "?symmetric=true" : "");

function row(first, second) {
  return isSimilarity() || second ? { text_a: first, text_b: second || "" } : { text_a: first };
}

function bar(share, className) {
  const made = element("div", `bar ${className}`);
  made.append(element("i"));
  made.firstChild.style.width = `${share * 100}%`;
  return made;
}

const shownScore = (answer) => (isCosine() ? answer.score.toFixed(3) : percent(answer.score));

function scoreBar(answer) {
  if (isCosine()) return bar(Math.max(0, answer.score), "label");
  if (!isSimilarity()) return bar(answer.score, "label");
  return bar(answer.score, answer.is_similar ? "half yes" : "half");
}

function labelledBar(label, share) {
  const made = element("div", "labelled");
  made.append(element("span", "", label), bar(share, "label"), element("span", "", percent(share)));
  return made;
}

function showAnswer() {
  if (!answered) return;
  const { answer, tokens, ms } = answered;
  find("score").textContent = shownScore(answer);
  find("took").textContent = text().took(ms);
  if (isCosine()) {
    find("verdict").textContent = text().cosine;
    find("bars").replaceChildren(scoreBar(answer));
  } else if (isSimilarity()) {
    find("verdict").textContent = answer.is_similar ? text().similar : text().different;
    const scale = element("p", "scale");
    scale.append(element("span", "", text().different), element("span", "", text().similar));
    find("bars").replaceChildren(scoreBar(answer), scale);
  } else {
    find("verdict").textContent = answer.label;
    const labels = Object.entries(answer.probabilities).sort((a, b) => b[1] - a[1]).slice(0, MOST_LABELS);
    find("bars").replaceChildren(...labels.map(([label, share]) => labelledBar(label, share)));
  }
  showTokens("tokens-a", tokens.tokens_a, tokens.kept_a);
  showTokens("tokens-b", tokens.tokens_b || [], tokens.kept_b || 0);
  const all = tokens.tokens_a.concat(tokens.tokens_b || []);
  const isCut = tokens.kept_a + (tokens.kept_b || 0) < all.length;
  const notes = [all.some(isUnknown) ? text().unknown : "", isCut ? text().cut : ""];
  find("tokens-note").textContent = notes.filter(Boolean).join(" ");
  find("answer").hidden = false;
}

const isUnknown = (token) => token === "[UNK]" || token === "<unk>";

function showTokens(place, tokens, kept) {
  find(place).replaceChildren(...tokens.map((token, index) =>
    element("span", `${isUnknown(token) ? "unknown" : ""} ${index < kept ? "" : "cut"}`.trim(), token)));
}

async function compare() {
  const asked = row(find("text-a").value, find("text-b").value);
  const start = performance.now();
  const answer = await ask(question(), asked);
  const ms = Math.max(1, Math.round(performance.now() - start));
  answered = { answer, tokens: await ask("/tokens", asked), ms };
  showAnswer();
}

function showCommand() {
  const body = JSON.stringify(row(find("text-a").value, find("text-b").value)).replaceAll("'", "'\\''");
  const access = sessionStorage.getItem("token") ? " -H \"Authorization: Bearer $TOKEN\"" : "";
  const address = location.origin + location.pathname.replace(/\/$/, "") + question();
  find("curl").textContent = `curl -H 'Content-Type: application/json'${access} -d '${body}' '${address}'`;
}

async function scoreList() {
  const lines = find("lines").value.split(/\r?\n/).map((line, index) => [line.split("\t"), index + 1]).filter(([cells]) => cells.join("").trim());
  const untabbed = lines.find(([cells]) => cells.length < 2);
  if (isSimilarity() && untabbed) throw new Refused(text().noTab(untabbed[1]));
  const rows = lines.map(([cells]) => row(cells[0], cells[1]));
  const answers = [];
  for (let start = 0; start < rows.length; start += card.max_rows) {
    answers.push(...await ask(question(), rows.slice(start, start + card.max_rows)));
  }
  scored = rows.map((asked, index) => ({ asked, answer: answers[index] }));
  showList();
}

function showList() {
  find("scored").hidden = !scored.length;
  const similar = scored.filter(({ answer }) => answer.is_similar).length;
  find("summary").textContent = isSimilarity() && !isCosine() ? text().summary(scored.length, similar) : text().rows(scored.length);
  find("rows").replaceChildren(...scored.map(({ asked, answer }) => {
    const made = element("li");
    const texts = element("div", "texts");
    texts.append(element("p", "", asked.text_a), element("p", "quiet", asked.text_b || ""));
    const share = element("span", "share", isSimilarity() ? shownScore(answer) : answer.label);
    made.append(texts, scoreBar(answer), share);
    return made;
  }));
}

async function fill() {
  const { masks } = await ask("/fill-mask", { text: find("masked").value });
  find("candidates").replaceChildren(...masks.flatMap((candidates, index) => [
    element("h3", "", text().mask(index + 1)),
    ...candidates.map(({ token, probability }) => labelledBar(token, probability)),
  ]));
}

// Asks what stands in the field now; an answer that a later question has overtaken is dropped.
async function search() {
  const number = ++searches;
  const query = find("query").value.trim();
  let matches = [], refused = "";
  try {
    if (query) ({ matches } = await ask("/search", { text: query }));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    refused = error.message;
  }
  if (number !== searches) return;
  find("search-error").textContent = refused;
  find("search-error").hidden = !refused;
  found = matches;
  showFound();
}

function showFound() {
  find("found").replaceChildren(...found.map((match) => {
    const made = element("li");
    const texts = element("div", "texts");
    texts.append(element("p", "", match.text), element("p", "quiet small", text().line(match.line)));
    made.append(texts, bar(Math.max(0, match.score), "label"), element("span", "share", match.score.toFixed(3)));
    return made;
  }));
}

function onTyping(event) {
  if (event.isComposing) return; // an input method has not finished the word
  clearTimeout(typing);
  typing = setTimeout(search, PAUSE);
}

async function copy(button, content) {
  try {
    await navigator.clipboard.writeText(content);
  } catch (error) { // the page does not stand on a safe address
    const field = element("textarea");
    field.value = content;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  button.textContent = text().copied;
  setTimeout(() => { button.textContent = text()[button.dataset.text]; }, 1500);
}

const oneLine = (content) => content.replace(/[\t\r\n]+/g, " ");

function tableText() {
  return scored.map(({ asked, answer }) => [asked.text_a, asked.text_b || "", ...(isSimilarity() ? [] : [answer.label]), answer.score]
    .map((cell) => oneLine(String(cell))).join("\t")).join("\n") + "\n";
}

function showLanguage() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const place of document.querySelectorAll("[data-text]")) place.textContent = text()[place.dataset.text];
  find("language").textContent = text().other;
  if (!card) return;
  find("about").textContent = text().about(card);
  find("ask-title").textContent = isCosine() ? text().cosineTitle : isSimilarity() ? text().similarityTitle : text().classifyTitle;
  find("ask-button").textContent = isSimilarity() ? text().compare : text().classify;
  find("text-b-label").textContent = isSimilarity() ? text().second : text().secondOptional;
  find("list-title").textContent = isSimilarity() ? text().listTitle : text().listTitleClassify;
  find("lines-label").textContent = isSimilarity() ? text().lines : text().linesClassify;
  showAnswer();
  if (scored.length) showList();
  showFound();
}

async function open() {
  card = await ask("/model");
  find("ask").hidden = find("list").hidden = !isSimilarity() && !card.answers.includes("/classify");
  find("symmetric").parentElement.hidden = isCosine();
  find("search").hidden = !card.answers.includes("/search");
  find("fill").hidden = !card.answers.includes("/fill-mask");
  find("text-b").required = isSimilarity();
  showLanguage();
  showCommand();
}

[find("text-a").value, find("text-b").value] = EXAMPLE[0];
find("masked").value = "今天[MASK]气很好";
onSubmit("ask-form", "ask-error", compare);
onSubmit("list-form", "list-error", scoreList);
onSubmit("fill-form", "fill-error", fill);
find("access").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("token", find("token").value);
  find("access").hidden = true;
  open().catch(() => {});
});
for (const name of ["text-a", "text-b", "symmetric"]) find(name).addEventListener("input", showCommand);
for (const name of ["input", "compositionend"]) find("query").addEventListener(name, onTyping);
find("copy").addEventListener("click", () => copy(find("copy"), find("curl").textContent));
find("copy-table").addEventListener("click", () => copy(find("copy-table"), tableText()));
find("example").addEventListener("click", () => { find("lines").value = EXAMPLE.map((pair) => pair.join("\t")).join("\n"); });
find("language").addEventListener("click", () => {
  language = language === "zh" ? "en" : "zh";
  localStorage.setItem("language", language);
  showLanguage();
});
for (const field of document.querySelectorAll("textarea:not(#lines)")) {
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      field.form.requestSubmit();
    }
  });
}
showLanguage();
open().catch((error) => { find("about").textContent = error.message; });
