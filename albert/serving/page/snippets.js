// Requests as commands and programs to copy.

import { copyText, element } from "./dom.js";
import { follow, text } from "./language.js";
import { address, token } from "./service.js";

const quoted = (content) => `'${content.replaceAll("'", "'\\''")}'`;

export function asCommand(path, body) {
  const access = token() ? " -H \"Authorization: Bearer $TOKEN\"" : "";
  if (body === undefined) return `curl${access} ${quoted(address(path))}`;
  return `curl -H 'Content-Type: application/json'${access} -d ${quoted(JSON.stringify(body))} ${quoted(address(path))}`;
}

export function asProgram(path, body) {
  const headers = body === undefined ? [] : ['"Content-Type": "application/json"'];
  if (token()) headers.push('"Authorization": "Bearer " + TOKEN');
  const parts = [JSON.stringify(address(path))];
  if (body !== undefined) parts.push("json.dumps(rows).encode()");
  if (headers.length) parts.push(`${body === undefined ? "headers=" : ""}{${headers.join(", ")}}`);
  return [
    "import json, urllib.request",
    "",
    ...(body === undefined ? [] : [`rows = ${JSON.stringify(body)}`]),
    `request = urllib.request.Request(${parts.join(", ")})`,
    "with urllib.request.urlopen(request) as response:",
    "    print(json.load(response))",
  ].join("\n");
}

const WRITERS = { curl: asCommand, Python: asProgram };

// Shows the request of a view in its place; returns the function that brings it up to date.
export function showSnippets(place, request) {
  const [box, show] = snippetBox(request);
  place.append(box);
  follow(show);
  return show;
}

// A box with a request in every form, and the function that brings it up to date.
export function snippetBox(request) {
  let chosen = "curl";
  const code = element("code");
  const copy = element("button", "plain");
  const tabs = Object.keys(WRITERS).map((name) => element("button", "plain", name));
  const head = element("div", "command-head", element("div", "tabs", ...tabs), copy);
  const show = () => {
    const { path, body } = request();
    code.textContent = WRITERS[chosen](path, body);
    copy.textContent = text().copy;
    for (const tab of tabs) tab.setAttribute("aria-pressed", tab.textContent === chosen);
  };
  for (const button of [...tabs, copy]) button.type = "button";
  for (const tab of tabs) {
    tab.addEventListener("click", () => {
      chosen = tab.textContent;
      show();
    });
  }
  copy.addEventListener("click", async () => {
    await copyText(code.textContent);
    copy.textContent = text().copied;
    setTimeout(() => { copy.textContent = text().copy; }, 1500);
  });
  return [element("div", "", head, element("pre", "", code)), show];
}
