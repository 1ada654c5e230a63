"""Write docs/rules/, a page for each rule and their index:    python docs/make_rules.py"""

from pathlib import Path

from clozekit.rules.pages import documents

HOME = Path(__file__).with_name("rules")


def main() -> None:
    HOME.mkdir(exist_ok=True)
    for stray in {path.name for path in HOME.glob("*.md")} - documents().keys():
        (HOME / stray).unlink()
    for name, text in documents().items():
        (HOME / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
