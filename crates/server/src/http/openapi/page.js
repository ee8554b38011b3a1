"use strict";

// Everything from the document or from a reply is shown as text, never as markup.
const make = (tag, attributes = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), attributes);
  element.append(...children);
  return element;
};
const field = (id) => document.getElementById(id).value.trim();

let api;
const resolve = (schema) =>
  schema.$ref ? schema.$ref.slice(2).split("/").reduce((at, key) => at[key], api) : schema;

/** An input for a value of `schema`; empty, the parameter is not sent. */
const input = (schema) => {
  const choices = schema.type === "boolean" ? ["true", "false"] : schema.enum;
  if (choices) {
    return make("select", {}, ...["", ...choices].map((choice) => make("option", {}, choice)));
  }
  const hint = schema.examples ? schema.examples[0] : (schema.default ?? "");
  return make("input", { placeholder: String(hint), spellcheck: false, autocomplete: "off" });
};

const limits = (schema) =>
  [
    schema.type,
    schema.format,
    schema.minimum !== undefined && `from ${schema.minimum}`,
    schema.maximum !== undefined && `to ${schema.maximum}`,
  ]
    .filter(Boolean)
    .join(" ");

/** Rows for `parameters`, and a function that reads what was filled in, by where it goes. */
const form = (parameters) => {
  const table = make("table");
  const inputs = parameters.map((parameter) => {
    const element = input(parameter.schema);
    const says = [parameter.description ?? parameter.schema.description ?? "", limits(parameter.schema)];
    table.append(
      make(
        "tr",
        {},
        make("td", {}, make("code", {}, parameter.name + (parameter.required ? " *" : ""))),
        make("td", {}, element),
        make("td", {}, make("small", {}, says.filter(Boolean).join(" — "))),
      ),
    );
    return [parameter, element];
  });
  const read = (where) =>
    inputs.filter(([parameter, element]) => parameter.in === where && element.value !== "");
  return { table, read };
};

const typed = (schema, text) => {
  if (schema.type === "boolean") return text === "true";
  return schema.type === "integer" && /^\d+$/.test(text) ? Number(text) : text;
};

/** The request that the form asks for. */
const request = (method, path, read, asForm) => {
  const values = Object.fromEntries(read("path").map(([one, element]) => [one.name, element.value]));
  values.auth_id ??= field("auth-id");
  const filled = path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(values[name] ?? ""));
  const query = new URLSearchParams(read("query").map(([one, element]) => [one.name, element.value]));
  const headers = {};
  if (field("auth-id")) {
    const pair = new TextEncoder().encode(`${field("auth-id")}:${field("auth-token")}`);
    headers.Authorization = `Basic ${btoa(String.fromCharCode(...pair))}`;
  }
  const body = read("body");
  const options = { method, headers, credentials: "omit", cache: "no-store" };
  if (body.length > 0 && asForm) {
    options.body = new URLSearchParams(body.map(([one, element]) => [one.name, element.value]));
  } else if (body.length > 0) {
    headers["Content-Type"] = "application/json";
    const values = body.map(([one, element]) => [one.name, typed(one.schema, element.value)]);
    options.body = JSON.stringify(Object.fromEntries(values));
  }
  // Relative, so that the page also works below a path of a proxy.
  return [filled.slice(1) + (query.size > 0 ? `?${query}` : "") || "./", options];
};

/** The first piece of what has no end. */
const beginning = async (reply) => {
  const reader = reply.body.getReader();
  const { value } = await reader.read();
  await reader.cancel();
  return new TextDecoder().decode(value);
};

const send = async ([url, options], shown) => {
  shown.hidden = false;
  shown.textContent = "…";
  try {
    const reply = await fetch(url, options);
    const kind = reply.headers.get("Content-Type") ?? "";
    const text = await (kind.startsWith("text/event-stream") ? beginning(reply) : reply.text());
    const isJson = kind.startsWith("application/json") && text;
    const body = isJson ? JSON.stringify(JSON.parse(text), null, 2) : text;
    shown.textContent = `${options.method} ${url}\n${reply.status} ${reply.statusText}\n\n${body}`;
  } catch (error) {
    shown.textContent = `${options.method} ${url}\n${error}`;
  }
};

const body = (operation) => {
  if (!operation.requestBody) return [];
  const schema = resolve(operation.requestBody.content["application/json"].schema);
  const required = schema.required ?? [];
  return Object.entries(schema.properties).map(([name, of]) => ({
    name,
    in: "body",
    required: required.includes(name),
    schema: of,
  }));
};

/** What is inside of an operation, made when it is opened. */
const inside = (method, path, operation) => {
  const isOwn = (parameter) => parameter.name === "auth_id";
  const inBody = body(operation);
  const { table, read } = form([...operation.parameters.filter((one) => !isOwn(one)), ...inBody]);
  const asForm = make("input", { type: "checkbox" });
  const shown = make("pre", { hidden: true });
  const button = make("button", { type: "button" }, "Send");
  button.addEventListener("click", () => send(request(method, path, read, asForm.checked), shown));
  const replies = Object.entries(operation.responses).map(
    ([status, reply]) => `${status}  ${resolve(reply).description}`,
  );
  const about = make("details", {}, make("summary", {}, "Replies"), make("pre", {}, replies.join("\n")));
  const how = inBody.length > 0 ? [make("label", {}, asForm, " as a form")] : [];
  return [table, button, ...how, shown, about];
};

const entry = (method, path, operation) => {
  const head = make("summary", {}, make("b", { className: method }, method), make("code", {}, path));
  head.append(make("span", {}, operation.summary));
  const details = make("details", {}, head);
  details.addEventListener("toggle", () => details.append(...inside(method, path, operation)), { once: true });
  return details;
};

const show = async () => {
  const main = document.getElementById("operations");
  api = await (await fetch("openapi.json")).json();
  document.getElementById("about").textContent = api.info.description;
  const sections = new Map();
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const [tag] = operation.tags;
      if (!sections.has(tag)) sections.set(tag, make("section", {}, make("h2", {}, tag)));
      sections.get(tag).append(entry(method.toUpperCase(), path, operation));
    }
  }
  main.append(...sections.values());
};

show().catch((error) => document.getElementById("operations").append(String(error)));
