"""Note what was learned, find it again, put it in a prompt, and say that it no longer holds."""

import os

from partitura_client import Partitura


def main() -> None:
    """Run it."""
    with Partitura(os.environ["PARTITURA_URL"], os.environ.get("PARTITURA_KEY")) as partitura:
        old = partitura.note("Deployments run on Friday at noon", kind="fact", tags=["deploy"])
        new = partitura.note("Deployments run on Tuesday at nine", kind="fact", tags=["deploy"])
        partitura.supersede(old, by=new)
        found = partitura.search("when do deployments run", mode="text", filter="kind = 'knowledge'")
        for hit in found.hits:
            print("found:", hit.text)
        context = partitura.context("deployments", max_tokens=100)
        print(f"{len(context.passages)} passages, {context.tokens} tokens")
        print("versions:", len(partitura.knowledge_history(old)))


if __name__ == "__main__":
    main()
