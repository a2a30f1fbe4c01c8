"""Opens a WebSocket as a plan on standard input says, and prints each message as a line, then how it was closed."""

import asyncio
import json
import sys

import websockets


async def main(plan):
    options = {"additional_headers": plan.get("headers", {}), "max_size": None}
    if plan.get("subprotocols"):
        options["subprotocols"] = plan["subprotocols"]
    try:
        async with websockets.connect(plan["url"], **options) as socket:
            say({"opened": socket.subprotocol})
            for message in plan.get("send", []):
                await socket.send(message if isinstance(message, str) else json.dumps(message))
            seen = 0
            try:
                async for message in socket:
                    said = json.loads(message)
                    say({"message": said})
                    seen += said["kind"] == "event"
                    if seen == plan.get("events"):
                        return
            except websockets.ConnectionClosed:
                pass
            say({"closed": socket.close_code, "reason": socket.close_reason})
    except websockets.InvalidStatus as refused:
        say({"refused": refused.response.status_code, "body": json.loads(refused.response.body)})


def say(line):
    print(json.dumps(line), flush=True)


asyncio.run(asyncio.wait_for(main(json.loads(sys.stdin.read())), 100))
