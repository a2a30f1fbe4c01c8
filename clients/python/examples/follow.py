"""Follow the log while something else writes to it."""

import asyncio
import os

from partitura_client import AsyncPartitura


async def main() -> None:
    """Run it."""
    async with AsyncPartitura(os.environ["PARTITURA_URL"], os.environ.get("PARTITURA_KEY")) as partitura:
        start = (await partitura.append({"type": "note.taken", "data": {"text": "begin"}})).position

        async def write() -> None:
            for n in range(3):
                await partitura.append({"type": "note.taken", "data": {"text": f"note {n}"}})

        writing = asyncio.create_task(write())
        seen = 0
        async for event in partitura.tail(after=start, types=["note.taken"]):
            print(event.type, event.data["text"])
            seen += 1
            if seen == 3:
                break
        await writing


if __name__ == "__main__":
    asyncio.run(main())
