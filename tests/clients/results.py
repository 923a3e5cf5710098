"""What the runs have told, compared and kept."""

import json
import os


def compare(runs, report):
    pass


def keep(runs, directory):
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, "told.json"), "w", encoding="utf-8") as file:
        json.dump({run.name: run.told for run in runs}, file, indent=1, ensure_ascii=False)
