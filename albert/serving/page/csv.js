// Tables as text: CSV or tab-separated cells of a file or of pasted lines, their columns, and CSV to save.

const NAMES = [ // of the first and of the second column, as files name them
  ["text_a", "sentence1", "sentence_a", "query", "question", "text", "sentence", "content", "句子1", "文本1", "问题", "文本", "句子", "内容"],
  ["text_b", "sentence2", "sentence_b", "title", "context", "passage", "candidate", "句子2", "文本2", "上下文", "原文", "段落"],
];

export function decode(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    return new TextDecoder("gb18030").decode(bytes); // as Excel saves CSV in Chinese
  }
}

// The rows of a text; cells in quotes may hold separators, quotes twice and line ends.
export function parse(content, separator) {
  const rows = [];
  let row = [], cell = "", isQuoted = false;
  const end = () => { row.push(cell); cell = ""; };
  for (let place = 0; place < content.length; place += 1) {
    const char = content[place];
    if (isQuoted) {
      if (char !== '"') cell += char;
      else if (content[place + 1] === '"') { cell += char; place += 1; } else isQuoted = false;
    } else if (char === '"' && cell === "") isQuoted = true;
    else if (char === separator) end();
    else if (char === "\n") { end(); rows.push(row); row = []; } else if (char !== "\r") cell += char;
  }
  if (cell || row.length) { end(); rows.push(row); }
  return rows.filter((cells) => cells.join("").trim());
}

// A file's rows, cut to the columns that hold the texts: those that a header names, else the first ones.
export function readTable(name, content, numColumns) {
  const isTabbed = /\.(tsv|txt)$/i.test(name) || content.split("\n", 1)[0].includes("\t");
  const rows = parse(content.replace(/^\ufeff/, ""), isTabbed ? "\t" : ",");
  const head = (rows[0] || []).map((cell) => cell.trim().toLowerCase());
  const named = NAMES.map((names) => names.map((known) => head.indexOf(known)).find((place) => place >= 0));
  const hasHeader = named[0] !== undefined && (numColumns < 2 || named[1] !== undefined || head.length < 2);
  const places = hasHeader ? named.slice(0, numColumns).filter((place) => place !== undefined) : [...Array(numColumns).keys()];
  return {
    columns: hasHeader ? places.map((place) => rows[0][place].trim()) : [],
    rows: rows.slice(hasHeader ? 1 : 0).map((cells) => places.map((place) => cells[place] || "")),
  };
}

const quoted = (cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
export const writeCsv = (rows) => rows.map((cells) => cells.map((cell) => quoted(String(cell))).join(",") + "\r\n").join("");

const oneLine = (cell) => cell.replace(/[\t\r\n]+/g, " ");
export const writeLines = (rows) => rows.map((cells) => cells.map((cell) => oneLine(String(cell))).join("\t")).join("\n");
