"""`python -m smc_trading_agent.research.concept_pages ROOT` writes the pages and says what is still to be written."""

from __future__ import annotations

import sys
from pathlib import Path

from smc_trading_agent.research.concept_pages.pages import all_pages, missing, read_tree


def main() -> None:
    """Writes every page under the root of the source tree named on the command line."""
    root = Path(sys.argv[1])
    tree = read_tree(root)
    for path, text in all_pages(tree).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    for sentence in missing(tree):
        sys.stderr.write(f"still to be written: {sentence}\n")


if __name__ == "__main__":
    main()
