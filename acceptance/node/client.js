// The `plivo` package as published, told what to do: a line of JSON in, a line of JSON out.
"use strict";

const plivo = require("plivo");
const readline = require("readline");

const [authId, authToken, proxy] = process.argv.slice(2);
const client = new plivo.Client(authId, authToken, proxy ? { proxy } : {});

const orders = {
  // Calls a method of a resource: ["call", "multiPartyCalls.get", arguments].
  async call(path, args) {
    const [resource, method] = path.split(".");
    return client[resource][method](...args);
  },
  // Prints a document: ["build", [[method, body, attributes, [steps inside]], …]].
  build(steps) {
    const response = plivo.Response();
    nest(response, steps);
    return response.toXML();
  },
  // Asks a validator: ["valid", "validateV3Signature", arguments].
  valid(validator, args) {
    return plivo[validator](...args);
  },
};

function nest(parent, steps) {
  for (const [method, body, attributes, inside] of steps) {
    const element = body === null ? parent[method](attributes) : parent[method](body, attributes);
    nest(element, inside || []);
  }
}

async function obey(line) {
  const [order, ...rest] = JSON.parse(line);
  try {
    const value = await orders[order](...rest);
    return { value: value === undefined ? null : value, meta: value && value.meta };
  } catch (error) {
    return { error: String(error.message || error), status: error.status || null };
  }
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await obey(line)));
  }
})();
