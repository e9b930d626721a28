// Answers to a question, marked in their context.

import { element, find, isShown, percent } from "./dom.js";
import { QUESTIONS } from "./examples.js";
import { fillIn, onSubmit, showExamples } from "./forms.js";
import { follow, text } from "./language.js";
import { markedText } from "./marks.js";
import { ask } from "./service.js";
import { showSnippets } from "./snippets.js";

const MOST = 3; // answers

let answered = null; // context and answers on the page
let chosen = 0; // the answer that is marked

const asked = () => ({ question: find("question").value, context: find("context").value });

function candidate(found, index) {
  const made = element("button", "chip", `${found.text} ${percent(found.score)}`);
  made.type = "button";
  made.setAttribute("aria-pressed", index === chosen);
  made.addEventListener("click", () => {
    chosen = index;
    show();
  });
  return made;
}

function show() {
  if (!answered) return;
  const { context, answers } = answered, found = answers[chosen];
  isShown(find("read-answer"), true);
  find("best-answer").textContent = found ? found.text : text().noAnswer;
  find("best-score").textContent = found ? percent(found.score) : "";
  find("candidates-found").replaceChildren(...answers.map(candidate));
  isShown(find("candidates-found"), answers.length > 1);
  find("marked-context").replaceChildren(markedText("p", "marked", context, found ? [found] : []));
  const mark = find("marked-context").querySelector("mark");
  if (mark) find("marked-context").scrollTop = Math.max(0, mark.offsetTop - find("marked-context").offsetTop - 60);
}

async function read() {
  const row = asked();
  answered = { context: row.context, ...await ask(`/mrc?top_k=${MOST}`, row) };
  chosen = 0;
  show();
}

export function openRead() {
  const use = (example) => {
    fillIn(find("question"), example.question);
    fillIn(find("context"), example.context);
  };
  isShown(find("read"), true);
  onSubmit("read", find("read-answer"), read);
  use(QUESTIONS[0]);
  showExamples(find("read-examples"), () => QUESTIONS, (example) => {
    use(example);
    find("read-form").requestSubmit();
  });
  const showRequest = showSnippets(find("read-snippets"), () => ({ path: `/mrc?top_k=${MOST}`, body: asked() }));
  find("read-form").addEventListener("input", showRequest);
  follow(show);
}
