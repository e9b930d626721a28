// Tokens as the model reads them: unknown ones by their characters, those that were cut, and long lists folded.

import { element, isShown } from "./dom.js";
import { text } from "./language.js";

const LINES = 2; // of tokens that are shown at first

const isUnknown = (token) => token === "[UNK]" || token === "<unk>";

function chip(token, piece, isKept) {
  const unknown = isUnknown(token);
  const made = element("span", `${unknown ? "unknown" : ""} ${isKept ? "" : "cut"}`.trim(), unknown && piece ? piece : token);
  if (unknown) made.title = token;
  return made;
}

// Hides what is beyond the first lines behind a button; does nothing where the place is not on the screen.
function fold(place, kept) {
  const chips = [...place.children];
  const tops = [...new Set(chips.map((token) => token.offsetTop))];
  if (tops.length <= LINES) return;
  const first = chips.findIndex((token) => token.offsetTop === tops[LINES]) - 2; // room for the button
  const hidden = chips.slice(first);
  const unread = chips.length - Math.max(kept, first);
  for (const token of hidden) isShown(token, false);
  const more = element("button", "chip more", text().moreTokens(hidden.length, Math.max(0, unread)));
  more.type = "button";
  more.addEventListener("click", () => {
    for (const token of hidden) isShown(token, true);
    more.remove();
  });
  place.append(more);
}

function showRow(place, tokens, pieces, kept) {
  place.replaceChildren(...tokens.map((token, index) => chip(token, pieces[index], index < kept)));
  fold(place, kept);
}

export function showTokens(places, note, tokens) {
  showRow(places[0], tokens.tokens_a, tokens.pieces_a, tokens.kept_a);
  showRow(places[1], tokens.tokens_b || [], tokens.pieces_b || [], tokens.kept_b || 0);
  const all = tokens.tokens_a.concat(tokens.tokens_b || []);
  const isCut = tokens.kept_a + (tokens.kept_b || 0) < all.length;
  note.textContent = [all.some(isUnknown) ? text().unknown : "", isCut ? text().cut : ""].filter(Boolean).join(" ");
}
