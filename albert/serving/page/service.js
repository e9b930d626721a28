// Requests to the service, with the token of this tab; a refusal is thrown as one sentence in the language of the page.

import { current, text } from "./language.js";

const TRIES = 5; // of a request that a full queue refuses
const LONGEST_PAUSE = 10; // seconds between them

export class Refused extends Error {}

let onToken = () => {};
export const whenTokenIsNeeded = (action) => { onToken = action; };
export const token = () => sessionStorage.getItem("token");
export const address = (path) => location.origin + location.pathname.replace(/[^/]*$/, "") + path.slice(1);

function options(body) {
  const headers = { "Accept-Language": current() };
  if (token()) headers.Authorization = `Bearer ${token()}`;
  if (body === undefined) return { headers };
  headers["Content-Type"] = "application/json";
  return { method: "POST", headers, body: JSON.stringify(body) };
}

async function send(path, body) {
  try {
    const response = await fetch(path.slice(1), options(body));
    return { response, answer: await response.json() };
  } catch (error) {
    throw new Refused(text().unreachable);
  }
}

export async function ask(path, body) {
  const { response, answer } = await send(path, body);
  if (response.status === 401) onToken();
  if (!response.ok) throw Object.assign(new Refused(answer.error), { status: response.status, pause: response.headers.get("Retry-After") });
  return answer;
}

const pause = (seconds) => new Promise((go) => setTimeout(go, seconds * 1000));

async function askPatiently(path, body) {
  for (let left = TRIES; ; left -= 1) {
    try {
      return await ask(path, body);
    } catch (error) {
      if (error.status !== 503 || !left) throw error;
      await pause(Math.min(Number(error.pause) || 1, LONGEST_PAUSE));
    }
  }
}

// Cuts rows into requests that the service takes.
function* parts(rows, card, most) {
  const size = (row) => new TextEncoder().encode(JSON.stringify(row)).length + 1;
  for (let start = 0; start < rows.length;) {
    let end = start, bytes = 2;
    while (end < rows.length && end - start < Math.min(most, card.max_rows)) {
      bytes += size(rows[end]);
      if (bytes > card.max_body_bytes && end > start) break;
      end += 1;
    }
    yield [start, end];
    start = end;
  }
}

// Asks for many rows in parts; calls back with the number of rows that are answered, and ends where that says false.
export async function askMany(path, rows, card, onProgress, most = 100) {
  const answers = [];
  for (const [start, end] of parts(rows, card, most)) {
    if (onProgress(start) === false) break;
    try {
      answers.push(...await askPatiently(path, rows.slice(start, end)));
    } catch (error) {
      if (error instanceof Refused) error.message = error.message.replace(/(\brow |第 )(\d+)/, (_, word, number) => word + (start + Number(number)));
      throw error;
    }
  }
  onProgress(answers.length);
  return answers;
}
