"""Talks to a server through the official Python client of MCP, as a plan on standard input says, and prints what came.

The plan: {"url", "headers"} or {"command", "args", "env"}; "mode" ("legacy", "auto" or a version); "steps", each one of
{"tools": true}, {"resources": true}, {"templates": true}, {"call": name, "arguments": {…}}, {"read": uri}.
"""

import json
import sys

import anyio
import httpx2
from mcp import StdioServerParameters
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

PATIENCE = 120


async def step(client, plan):
    try:
        if "tools" in plan:
            result = await client.list_tools()
        elif "resources" in plan:
            result = await client.list_resources()
        elif "templates" in plan:
            result = await client.list_resource_templates()
        elif "read" in plan:
            result = await client.read_resource(plan["read"])
        else:
            result = await client.call_tool(plan["call"], plan.get("arguments"))
        return result.model_dump(mode="json", by_alias=True, exclude_none=True)
    except MCPError as error:
        return {"error": {"code": error.code, "message": error.message, "data": error.data}}


async def talk(plan):
    if "url" in plan:
        web = httpx2.AsyncClient(headers=plan["headers"], timeout=PATIENCE, trust_env=False)
        server = streamable_http_client(plan["url"], http_client=web)
    else:
        server = StdioServerParameters(command=plan["command"], args=plan["args"], env=plan["env"])
    async with Client(server, mode=plan["mode"]) as client:
        answers = [await step(client, one) for one in plan["steps"]]
        return {"version": client.protocol_version, "answers": answers}


async def main():
    with anyio.fail_after(PATIENCE):
        print(json.dumps(await talk(json.load(sys.stdin))))


anyio.run(main)
