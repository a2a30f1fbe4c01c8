// Opens a WebSocket as a plan on standard input says, and prints each message as a line, then how it was closed. The
// folder of node_modules is the first argument.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(`${process.argv[2]}/`);
const { WebSocket } = require("ws");
const plan = JSON.parse(readFileSync(0, "utf8"));
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const timer = setTimeout(() => process.exit(1), 100_000);

const socket = new WebSocket(plan.url, plan.subprotocols ?? [], { headers: plan.headers ?? {} });
let seen = 0;
socket.on("open", () => {
  say({ opened: socket.protocol || null });
  for (const message of plan.send ?? []) socket.send(typeof message === "string" ? message : JSON.stringify(message));
});
socket.on("message", (data) => {
  const said = JSON.parse(data);
  say({ message: said });
  if (said.kind === "event" && ++seen === plan.events) socket.close();
});
socket.on("close", (code, reason) => {
  if (seen !== plan.events) say({ closed: code, reason: reason.toString() });
  clearTimeout(timer);
});
socket.on("unexpected-response", (_, response) => {
  let body = "";
  response.on("data", (chunk) => (body += chunk));
  response.on("end", () => {
    say({ refused: response.statusCode, body: JSON.parse(body) });
    // Else its connection stays until the server ends it for being idle.
    process.exit(0);
  });
});
socket.on("error", () => {});
