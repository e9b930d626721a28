// Places in a text, marked.

import { characters, element } from "./dom.js";

// A text with marks at places {start, end}, in characters and in order; `marking` makes each from its characters.
export function markedText(tag, className, content, places, marking = (piece) => element("mark", "", piece)) {
  const all = characters(content), parts = [];
  let last = 0;
  for (const place of places) {
    parts.push(all.slice(last, place.start).join(""), marking(all.slice(place.start, place.end).join(""), place));
    last = place.end;
  }
  return element(tag, className, ...parts, all.slice(last).join(""));
}

const AROUND = 30; // characters of an excerpt on either side

// The place in a text, marked, with some of the text around it.
export function excerpt(content, place) {
  const all = characters(content);
  if (!place) return element("p", "quiet excerpt", all.slice(0, 2 * AROUND).join(""));
  const before = Math.max(0, place.start - AROUND), after = Math.min(all.length, place.end + AROUND);
  const shown = `${before ? "…" : ""}${all.slice(before, after).join("")}${after < all.length ? "…" : ""}`;
  const start = place.start - before + (before ? 1 : 0);
  return markedText("p", "quiet excerpt", shown, [{ start, end: start + place.end - place.start }]);
}
