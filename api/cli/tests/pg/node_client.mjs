// A story with node-postgres: `node_client.mjs CLIENTS`, arguments as JSON on stdin, results as JSON.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const require = createRequire(join(process.argv[2], "package.json"));
const pg = require("pg");
const Cursor = require("pg-cursor");
const { host, port } = JSON.parse(readFileSync(0, "utf8"));
const options = { host, port, user: "ada", database: "partitura" };

const client = new pg.Client(options);
await client.connect();
const found = {};
found.simple = (await client.query("SELECT interaction_id, tokens_in FROM interactions ORDER BY 1 LIMIT 1")).rows;
found.bound = (await client.query("SELECT interaction_id FROM interactions WHERE tokens_in > $1 AND agent_id = $2 ORDER BY 1", [20, "claude"])).rows;
const named = { name: "by-id", text: "SELECT tokens_in FROM interactions WHERE interaction_id = $1" };
found.named = [];
for (const id of ["i1", "i2", "i1"]) found.named.push((await client.query({ ...named, values: [id] })).rows[0].tokens_in);
found.list = (await client.query("SELECT count(*) AS n FROM interactions WHERE interaction_id = ANY($1)", [["i1", "i4"]])).rows[0].n;
found.binary = (await client.query({ text: "SELECT true AS b, 7::int AS n", values: [], binary: true })).rows[0];
found.several = (await client.query("SELECT 1 AS a; SELECT 2 AS b")).map((result) => result.rows[0]);
found.time = (await client.query("SELECT TIMESTAMPTZ '2026-01-01T00:00:00Z' AS t")).rows[0].t.toISOString();
try {
  await client.query("SELECT missing FROM interactions");
} catch (error) {
  found.error = { code: error.code, position: error.position, message: error.message };
}
const cursor = client.query(new Cursor("SELECT value FROM generate_series(1, 100)"));
found.cursor = [];
for (let rows = await cursor.read(30); rows.length; rows = await cursor.read(30)) found.cursor.push(rows.length);
await cursor.close();
found.after = (await client.query("SELECT 1 AS one")).rows;
await client.end();
const pool = new pg.Pool({ ...options, max: 3 });
const sums = await Promise.all([...Array(12).keys()].map((n) => pool.query("SELECT $1::int AS n", [n])));
found.pool = sums.reduce((sum, result) => sum + result.rows[0].n, 0);
await pool.end();
console.log(JSON.stringify(found));
