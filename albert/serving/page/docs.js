"use strict";

// Shows openapi.json: for each path its parameters, its body with an example, and its response.

const SAMPLES = { text_a: "明天会下雨吗", text_b: "明天有雨吗", text: "今天[MASK]气很好" };

function element(tag, className, ...content) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...content);
  return made;
}

function resolved(schema, api) {
  return schema.$ref ? resolved(schema.$ref.slice(2).split("/").reduce((place, name) => place[name], api), api) : schema;
}

// The schema of one row: of the forms of a body or a response the one that is not a list.
function single(schema, api) {
  const found = resolved(schema, api);
  const forms = found.oneOf || found.anyOf;
  return forms ? single(forms.find((form) => resolved(form, api).type !== "array"), api) : found;
}

function typeOf(schema, api) {
  const found = resolved(schema, api);
  if (found.anyOf) return found.anyOf.map((form) => typeOf(form, api)).join(" or ");
  if (found.type === "array") return `list of ${typeOf(found.items, api)}`;
  if (found.additionalProperties) return `${typeOf(found.additionalProperties, api)} by name`;
  return { string: "text", null: "nothing", boolean: "true or false", integer: "whole number", number: "number" }[found.type] || found.title;
}

function table(rows) {
  const made = element("table");
  for (const cells of rows) made.append(element("tr", "", ...cells.map((cell, index) => element(index ? "td" : "th", "", cell))));
  return element("div", "scroll", made);
}

function fields(schema, api) {
  const found = single(schema, api);
  const required = new Set(found.required || []);
  return table(Object.entries(found.properties || {}).map(([name, field]) =>
    [name, typeOf(field, api) + (required.has(name) ? "" : ", optional"), field.description || ""]));
}

function command(path, schema, api) {
  const names = Object.keys(single(schema, api).properties);
  const body = JSON.stringify(Object.fromEntries(names.map((name) => [name, SAMPLES[name]])));
  const address = new URL(path.slice(1), location.href).href;
  return element("pre", "", element("code", "", `curl -H 'Content-Type: application/json' -d '${body}' '${address}'`));
}

function endpoint(path, method, operation, api) {
  const made = element("section", "card endpoint");
  made.append(element("h2", "", element("span", "method", method.toUpperCase()), path), element("p", "", operation.description || ""));
  const body = operation.requestBody?.content["application/json"]?.schema;
  if (operation.parameters) {
    made.append(element("h3", "", "Query parameters"), table(operation.parameters.map(({ name, schema, description }) =>
      [name, `${typeOf(schema, api)}, ${schema.default} by default`, description || ""])));
  }
  if (body) {
    const isList = (resolved(body, api).oneOf || []).length > 0;
    made.append(element("h3", "", isList ? "Body: one row, or a list of rows" : "Body"), fields(body, api), command(path, body, api));
  }
  const answer = operation.responses["200"].content?.["application/json"]?.schema;
  if (answer) made.append(element("h3", "", body && answer.anyOf ? "Response: one answer, or a list in the same order" : "Response"), fields(answer, api));
  return made;
}

// The statuses of refused requests, once for all paths.
function refusals(api) {
  const found = new Map();
  for (const methods of Object.values(api.paths)) {
    for (const { responses } of Object.values(methods)) {
      for (const [status, { description }] of Object.entries(responses)) if (status !== "200") found.set(status, description);
    }
  }
  const made = element("section", "card endpoint");
  made.append(element("h2", "", "{\"error\": \"the reason\"}"), element("p", "", "A refused request gets one of these statuses."), table([...found]));
  return made;
}

async function show() {
  const api = await (await fetch("openapi.json")).json();
  document.getElementById("about").textContent = api.info.description;
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      document.getElementById("endpoints").append(endpoint(path, method, operation, api));
    }
  }
  document.getElementById("endpoints").append(refusals(api));
}

show();
