// Talks to a server through the official TypeScript client of MCP, as a plan on standard input says, and prints what
// came. The plan is that of client.py; its folder of node_modules is the first argument.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const PATIENCE_MS = 120_000;
const require = createRequire(`${process.argv[2]}/`);
const load = (part) => import(pathToFileURL(require.resolve(`@modelcontextprotocol/sdk/client/${part}.js`)).href.replace("/cjs/", "/esm/"));

const { Client } = await load("index");
const { StreamableHTTPClientTransport } = await load("streamableHttp");
const { StdioClientTransport } = await load("stdio");

const plan = JSON.parse(readFileSync(0, "utf8"));
const timer = setTimeout(() => {
  console.error("the conversation took too long");
  process.exit(1);
}, PATIENCE_MS);

const transport = plan.url
  ? new StreamableHTTPClientTransport(new URL(plan.url), { requestInit: { headers: plan.headers } })
  : new StdioClientTransport({ command: plan.command, args: plan.args, env: plan.env, stderr: "inherit" });
const client = new Client({ name: "partitura-test", version: "1" });
await client.connect(transport);

async function step(one) {
  try {
    if (one.tools) return await client.listTools();
    if (one.resources) return await client.listResources();
    if (one.templates) return await client.listResourceTemplates();
    if (one.read) return await client.readResource({ uri: one.read });
    return await client.callTool({ name: one.call, arguments: one.arguments });
  } catch (error) {
    return { error: { code: error.code, message: error.message, data: error.data } };
  }
}

const answers = [];
for (const one of plan.steps) answers.push(await step(one));
console.log(JSON.stringify({ version: transport.protocolVersion ?? null, answers }));
await client.close();
clearTimeout(timer);
