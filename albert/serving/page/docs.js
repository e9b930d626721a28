// Shows openapi.json, which names what the served model answers: parameters, bodies, responses, and how to call it.

import { element, find, isShown } from "./dom.js";
import { guarded } from "./forms.js";
import { current, follow, text, translate, watchButton } from "./language.js";
import { ask, token } from "./service.js";
import { snippetBox } from "./snippets.js";

const JSON_TYPE = "application/json";
const MOST_NUMBERS = 6; // of a list of numbers in a response

let api = { paths: {} };
let card = null; // null where the token is missing

const described = (part) => (current() === "zh" && part["x-zh"]) || part.description || "";

function resolved(schema) {
  return schema.$ref ? { ...schema, ...resolved(schema.$ref.slice(2).split("/").reduce((place, name) => place[name], api)) } : schema;
}

// The schema of one row: of the forms of a body or a response the one that is not a list.
function single(schema) {
  const found = resolved(schema);
  const forms = found.oneOf || found.anyOf;
  return forms ? single(forms.find((form) => resolved(form).type !== "array")) : found;
}

// The schema without the form that says that it may be missing.
function present(schema) {
  const found = resolved(schema);
  const forms = (found.anyOf || []).filter((form) => form.type !== "null");
  return forms.length === 1 ? present(forms[0]) : found;
}

function typeOf(schema) {
  const found = present(schema), names = text().types_;
  if (found.type === "array") return names.list(typeOf(found.items));
  if (found.additionalProperties) return names.named(typeOf(found.additionalProperties));
  return found.properties ? names.object : names[found.type] || "";
}

// Rows of a table: each field, and below an object, or a list of objects, the fields inside.
function fieldRows(schema, prefix = "") {
  const required = new Set(schema.required || []);
  return Object.entries(schema.properties || {}).flatMap(([name, field]) => {
    const isNullable = (field.anyOf || []).some((form) => form.type === "null");
    const type = typeOf(field) + (required.has(name) && !isNullable ? "" : `${text().comma}${text().optional}`);
    let inside = present(field), path = prefix + name;
    while (inside.type === "array") [inside, path] = [present(inside.items), `${path}[]`];
    return [[prefix + name, type, described(field)], ...fieldRows(inside, `${path}.`)];
  });
}

function table(rows) {
  const cells = (row) => row.map((cell, index) => element(index ? "td" : "th", "", cell));
  return element("div", "scroll", element("table", "fields", ...rows.map((row) => element("tr", "", ...cells(row)))));
}

const heading = (content) => element("h3", "", content);
const shortened = (value) => (Array.isArray(value) && value.length > MOST_NUMBERS && typeof value[0] === "number" ? [...value.slice(0, MOST_NUMBERS), "…"] : value);

function shownJson(value) {
  const content = JSON.stringify(value, (_, inside) => shortened(inside), 2);
  const short = content.replace(/\[[^[\]{}]*\]/g, (list) => list.replace(/\s*\n\s*/g, " ")); // lists of values in one line
  return element("pre", "", element("code", "", short.replaceAll('"…"', "…")));
}

// The response: an example, and by a button that of the served model.
function response(path, example, body) {
  const title = heading(example ? text().exampleResponse : ""), place = element("div", "", ...(example ? [shownJson(example)] : []));
  const error = element("p", "error");
  const run = element("button", "plain", text().run);
  isShown(error, false);
  run.type = "button";
  run.addEventListener("click", () => guarded(error, async () => {
    const answer = await ask(path, body);
    title.textContent = text().liveResponse;
    place.replaceChildren(shownJson(answer));
  }));
  return [element("div", "command-head", title, run), error, place];
}

function snippets(path, body) {
  const [box, show] = snippetBox(() => ({ path, body }));
  show();
  return box;
}

function endpoint(path, method, operation) {
  const content = operation.requestBody?.content[JSON_TYPE];
  const title = element("h2", "", element("span", "method", method.toUpperCase()), path, element("span", "about", described(operation)));
  const made = element("details", "card endpoint", element("summary", "", title));
  made.id = path.slice(1);
  made.open = Boolean(content) && path !== "/tokens"; // the questions to the model
  if (operation.parameters) {
    made.append(heading(text().parameters_), table(operation.parameters.map((parameter) =>
      [parameter.name, `${typeOf(parameter.schema)}${text().comma}${text().byDefault(parameter.schema.default)}`, described({ ...parameter, ...parameter.schema })])));
  }
  if (content) {
    const isList = (resolved(content.schema).oneOf || []).length > 0;
    made.append(heading(isList ? text().oneOrList : text().body), table(fieldRows(single(content.schema))));
  }
  made.append(heading(text().request), snippets(path, content?.example));
  const answer = operation.responses["200"].content?.[JSON_TYPE];
  if (!answer) return made;
  made.append(heading(content && answer.schema.anyOf ? text().responseList : text().response), table(fieldRows(single(answer.schema))));
  made.append(...response(path, answer.example, content?.example));
  return made;
}

// The statuses of refused requests, once for all paths.
function mistakes() {
  const found = new Map();
  for (const methods of Object.values(api.paths)) {
    for (const { responses } of Object.values(methods)) {
      for (const [status, part] of Object.entries(responses)) if (status !== "200") found.set(status, described(part));
    }
  }
  return element("section", "card endpoint", element("h2", "", text().mistakesTitle), element("p", "", text().mistakesAbout), table([...found]));
}

function refusals() {
  const rows = Object.entries(card?.refusals || {});
  return rows.length ? element("section", "card endpoint", element("h2", "", text().refusedTitle), table(rows)) : null;
}

function show() {
  document.title = `${card?.name || "ALBERT"} · ${text().docsTitle}`;
  find("title").textContent = card?.name ? `${card.name} · ${text().docsTitle}` : `ALBERT · ${text().docsTitle}`;
  const operations = Object.entries(api.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => [path, method, operation]));
  find("contents").replaceChildren(...operations.map(([path]) => {
    const link = Object.assign(element("a", "chip", path), { href: `#${path.slice(1)}` });
    link.addEventListener("click", () => { find(path.slice(1)).open = true; });
    return link;
  }));
  find("endpoints").replaceChildren(...operations.map((each) => endpoint(...each)), ...[refusals(), operations.length ? mistakes() : null].filter(Boolean));
}

async function readCard() {
  if (card) card = await ask("/model");
}

async function open() {
  await guarded(find("docs-error"), async () => { api = await ask("/openapi.json"); });
  const isClosed = Boolean(api.security) && !token();
  isShown(find("token-note"), isClosed);
  if (!isClosed) await guarded(find("docs-error"), async () => { card = await ask("/model"); });
  translate();
}

watchButton(find("language"), readCard);
follow(show);
translate();
open();
