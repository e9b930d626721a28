// WordPiece tokenizer: text to ids, the same as tokenization.py. Texts are read by code point, not by UTF-16 unit.

const CHINESE_BLOCKS = [
  [0x4e00, 0x9fff], [0x3400, 0x4dbf], [0x20000, 0x2a6df], [0x2a700, 0x2b73f],
  [0x2b740, 0x2b81f], [0x2b820, 0x2ceaf], [0xf900, 0xfaff], [0x2f800, 0x2fa1f],
];
const MAX_CHARS_PER_WORD = 200;
const WHITESPACE = /^[\t\n\r\p{Z}]$/u;
const DROPPED = /^[\ufffd\p{Cc}\p{Cf}\p{Co}\p{Cs}]$/u;
const PUNCTUATION = /^(?:[!-/:-@[-`{-~]|\p{P})$/u;
const SPACE = 0, ALONE = 1, IN_WORD = 2;

export class WordPieces {
  /** Takes the text of vocab.txt, a token in each line. */
  constructor(vocabulary, doLowerCase) {
    const tokens = vocabulary.split(/\r?\n/);
    this.ids = new Map(tokens.map((token, id) => [token, id]));
    this.doLowerCase = doLowerCase;
    this.forms = new Map(); // of the characters seen so far
  }

  /** Ids of a text, without [CLS] and [SEP]. */
  encode(text) {
    return this.words(text).flatMap((word) => this.pieces(word));
  }

  /** [CLS] a [SEP] (b [SEP]) as ids, mask and segments; the longer text is cut, or the second one of equal texts. */
  inputs(texts, maxSeqLength) {
    const parts = texts.map((text) => this.encode(text));
    const length = () => parts.reduce((sum, part) => sum + part.length, 1 + parts.length);
    while (length() > maxSeqLength) parts.reduce((long, part) => (part.length >= long.length ? part : long)).pop();
    const [cls, sep] = ['[CLS]', '[SEP]'].map((token) => this.ids.get(token));
    const ids = [cls, ...parts.flatMap((part) => [...part, sep])];
    const segments = [0, ...parts.flatMap((part, i) => Array(part.length + 1).fill(i))];
    return [ids, ids.map(() => 1), segments];
  }

  /** Characters of a text that are [UNK] to the vocabulary, as the words that hold them. */
  unknown(text) {
    return this.words(text).filter((word) => this.pieces(word).includes(this.ids.get('[UNK]')));
  }

  /** Normalised words: runs of letters, and every Chinese character or punctuation mark on its own. */
  words(text) {
    const words = [];
    let word = '';
    const end = () => { if (word) words.push(word); word = ''; };
    for (const char of this.doLowerCase ? settleFinalSigmas(text) : text) {
      const { form, kind } = this.formOf(char);
      if (kind !== IN_WORD) end();
      if (kind === IN_WORD) word += form;
      else if (kind === ALONE && form) words.push(form);
    }
    end();
    return words;
  }

  formOf(char) {
    if (!this.forms.has(char)) this.forms.set(char, this.makeForm(char));
    return this.forms.get(char);
  }

  makeForm(char) {
    if (WHITESPACE.test(char)) return { form: ' ', kind: SPACE };
    if (DROPPED.test(char)) return { form: '', kind: IN_WORD };
    const form = this.doLowerCase ? char.toLowerCase().normalize('NFD').replace(/\p{Mn}/gu, '') : char;
    return { form, kind: isChinese(char) || PUNCTUATION.test(form) ? ALONE : IN_WORD };
  }

  /** Longest entries of the vocabulary from left to right; one [UNK] for a word with a part that is in none. */
  pieces(word) {
    const chars = [...word], pieces = [], unknown = [this.ids.get('[UNK]')];
    if (chars.length > MAX_CHARS_PER_WORD) return unknown;
    for (let start = 0; start < chars.length;) {
      let end = chars.length;
      const entry = () => this.ids.get((start ? '##' : '') + chars.slice(start, end).join(''));
      while (end > start && entry() === undefined) end -= 1;
      if (end === start) return unknown;
      pieces.push(entry());
      start = end;
    }
    return pieces;
  }
}

function isChinese(char) {
  const code = char.codePointAt(0);
  return CHINESE_BLOCKS.some(([first, last]) => first <= code && code <= last);
}

/** Lower-cases capital sigmas by their place in the word, which a single character does not tell. */
function settleFinalSigmas(text) {
  if (!text.includes('\u03a3')) return text;
  const lowered = text.toLowerCase();
  let settled = '', position = 0;
  for (const char of text) {
    settled += char === '\u03a3' ? lowered[position] : char;
    position += char.toLowerCase().length;
  }
  return settled;
}
