// Page: compares two sentences and finds the nearest of some lines, all in the browser.

import { MissingFile, Model } from './model.js';

const WORDS = {
  zh: {
    title: '两句话是否同义', a: '句子一', b: '句子二', compare: '比较', lines: '每行一句', question: '要找的话', find: '找最近的行',
    offline: '模型在浏览器里运行，句子不会离开这台设备。', loading: '正在打开模型……', other: 'English',
    ready: (model) => `${kind(model, '句向量', '句对模型')}，${megabytes(model)} MB`,
    cosine: '余弦', probability: '同义的概率', took: (ms) => `用时 ${ms} 毫秒`, unknown: (words) => `词表里没有：${words}`,
    empty: '请先填写句子。', missing: (name) => `打不开模型：缺少 ${name}。请用 make_page.py 重新生成这个目录。`,
    failed: (reason) => `模型无法回答（${reason}）。请用 make_page.py 重新生成这个目录。`,
  },
  en: {
    title: 'Do two sentences mean the same?', a: 'Sentence 1', b: 'Sentence 2', compare: 'Compare', lines: 'A sentence in each line',
    question: 'What to find', find: 'Find the nearest lines', offline: 'The model runs in the browser; sentences do not leave this device.',
    loading: 'Opening the model …', other: '中文',
    ready: (model) => `${kind(model, 'sentence vectors', 'pair model')}, ${megabytes(model)} MB`,
    cosine: 'cosine', probability: 'probability that they mean the same', took: (ms) => `in ${ms} ms`,
    unknown: (words) => `not in the vocabulary: ${words}`, empty: 'Fill in the sentences first.',
    missing: (name) => `The model does not open: ${name} is missing. Make this folder again with make_page.py.`,
    failed: (reason) => `The model does not answer (${reason}). Make this folder again with make_page.py.`,
  },
};

const given = new URLSearchParams(location.search);
const at = (id) => document.getElementById(id);
let language = given.get('lang') || (navigator.language.startsWith('zh') ? 'zh' : 'en');
let model = null, failure = null;

function kind(model, vectors, pairs) {
  return model.isVector ? vectors : pairs;
}

function megabytes(model) {
  return (model.bytes / 1e6).toFixed(1);
}

function showWords() {
  const words = WORDS[language];
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  document.querySelectorAll('[data-say]').forEach((element) => { element.textContent = words[element.dataset.say]; });
  at('language').textContent = words.other;
  at('state').textContent = failure ? failureText(words) : model ? words.ready(model) : words.loading;
  ['score', 'note'].forEach((id) => { at(id).textContent = ''; });
}

function failureText(words) {
  return failure instanceof MissingFile ? words.missing(failure.message) : words.failed(failure.message);
}

/** Runs work that asks the model; what goes wrong is said on the page. */
async function guarded(work) {
  try {
    await work();
  } catch (error) {
    failure = error;
    showWords();
  }
}

async function compare() {
  const [a, b] = [at('a').value.trim(), at('b').value.trim()], words = WORDS[language];
  at('score').textContent = '';
  if (!a || !b) { at('note').textContent = words.empty; return; }
  const start = performance.now();
  const score = await model.similarity(a, b);
  const ms = (performance.now() - start).toFixed(1);
  at('score').textContent = `${model.isVector ? words.cosine : words.probability} ${score.toFixed(3)}`;
  at('score').dataset.score = score;
  const unknown = [...model.tokenizer.unknown(a), ...model.tokenizer.unknown(b)];
  at('note').textContent = [words.took(ms), unknown.length ? words.unknown(unknown.join(' ')) : ''].filter(Boolean).join(' · ');
}

async function search() {
  const question = at('question').value.trim(), lines = at('lines').value.split('\n').map((line) => line.trim()).filter(Boolean);
  at('found').replaceChildren();
  if (!question || !lines.length) return;
  const scores = [];
  for (const line of lines) scores.push([await model.similarity(question, line), line]);
  scores.sort(([a], [b]) => b - a);
  at('found').replaceChildren(...scores.slice(0, 10).map(([score, line]) => {
    const item = document.createElement('li');
    item.textContent = `${score.toFixed(3)}  ${line}`;
    return item;
  }));
}

function answering(work) {
  return (event) => {
    event.preventDefault();
    if (model) guarded(work);
  };
}

at('pair').addEventListener('submit', answering(compare));
at('search').addEventListener('submit', answering(search));
['a', 'b'].forEach((id) => at(id).addEventListener('input', () => { ['score', 'note'].forEach((out) => { at(out).textContent = ''; }); }));
at('language').addEventListener('click', () => { language = language === 'zh' ? 'en' : 'zh'; showWords(); });
['a', 'b'].filter((id) => given.has(id)).forEach((id) => { at(id).value = given.get(id); });
showWords();
await guarded(async () => {
  model = await Model.load();
  showWords();
  document.querySelectorAll('button[type=submit]').forEach((button) => { button.disabled = false; });
  await compare();
  await search();
});
document.body.dataset.ready = 'yes';
