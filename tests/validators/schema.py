#!/usr/bin/env python3
"""Checks what is printed as JSON, and the files that are read, against `tminus schema`.

    schema.py TMINUS

validates every kind of answer, then broken twins of it, which must be refused: a field left out, a
field of another type, a field that the schema doesn't know. Exits 1 with what is wrong.
"""

import copy
import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from jsonschema import Draft202012Validator

HERE = Path(__file__).parent
CASES = HERE.parent / "cmd"
JOB = "--model gpt-7b --tokens 134B --cluster r7z2 --cluster r1z1"
ONE = "--model gpt-7b --tokens 134B --cluster r1z1 --gpus 8"
LADDER = f"{CASES}/schedule.in/ladder.toml"
BOOKING = f"{CASES}/reserve.in/job.toml"

# What is asked for, and the schema of the answer; in a directory of its own, in this order.
ANSWERS = [
    (f"plan {JOB} --format json", "plan"),
    (f"plan {JOB} --sort pareto --format json", "plan"),
    ("plan --model gpt-125m --cluster h100-cluster --gpus 8 --format json", "plan"),
    (f"predict {ONE} --micro-batch 4 --format json", "candidate"),
    (f"plan {LADDER} --format json", "schedule"),
    (f"plan {CASES}/schedule.in/late.toml --format json", "schedule"),
    (f"reserve {BOOKING} --format json", "reserve"),
    (f"reserve {ONE} --budget 100k --format json", "reserve"),
    ("reserve --model gpt-7b --tokens 134B --cluster p4d.24xlarge --start 2026-12-01 "
     "--deadline 2026-12-20 --format json", "reserve"),
    (f"report {BOOKING} -o report.json", "report"),
    (f"report {JOB} --sort pareto -o report.json", "report"),
    (f"report {LADDER} -o report.json", "schedule"),
    ("evaluate --format json", "accuracy"),
    ("evaluate --protocol leave-model --format json", "evaluation"),
    (f"evaluate {CASES}/evaluate.in/mine.csv --format json", "evaluation"),
    (f"advise {JOB} --format json", "advice"),
    (f"fit {CASES}/evaluate.in/mine.csv -o mine.fit.toml --format json", "fit"),
    (f"plan {ONE} --format json -o plan.json", None),
    ("compare plan.json --measured 22000 --format json", "compare"),
    ("compare plan.json --measured 22000 --done-tokens 40B --start 2026-12-01 --format json",
     "compare"),
]

# Files that are read, and those that are refused when they are.
FILES = [
    (LADDER, "job"),
    (BOOKING, "job"),
    *((str(path), "job") for path in sorted((HERE / "jobs").glob("*.toml"))),
    *((str(path), "presets") for path in [CASES / "files.in" / "lab.toml"]),
]


def run(tminus, arguments, directory):
    done = subprocess.run([tminus, *arguments.split()], capture_output=True, text=True, cwd=directory)
    if done.returncode:
        raise SystemExit(f"tminus {arguments}: exit status {done.returncode}\n{done.stderr}")
    return done.stdout


def strict(schema):
    """The schema with no room for what it doesn't describe."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: strict(part) for key, part in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        schema.setdefault("unevaluatedProperties", False)
    return schema


def places(value, path=()):
    """The paths of all fields of objects, the first of each list alone."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield (*path, key)
            yield from places(part, (*path, key))
    elif isinstance(value, list) and value:
        yield from places(value[0], (*path, 0))


def at(value, path):
    for key in path:
        value = value[key]
    return value


def twins(answer):
    """Broken copies of an answer, each with what is broken."""
    for path in places(answer):
        twin = copy.deepcopy(answer)
        # No field holds a list of lists.
        at(twin, path[:-1])[path[-1]] = [[[]]]
        yield f"{path} is a list of lists", twin
    twin = copy.deepcopy(answer)
    twin["surplus"] = 1
    yield "a field too many", twin


def required(schema, answer):
    """The answer without one field, for each that has to be there."""
    for field in schema.get("required", []):
        twin = copy.deepcopy(answer)
        del twin[field]
        yield f"{field} is missing", twin


def check(name, schema, answer, faults):
    """Compares an answer with its schema, and its twins; returns how many twins there were."""
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(strict(schema))
    for error in list(validator.iter_errors(answer))[:5]:
        faults.append(f"{name}: {list(error.path)}: {error.message[:200]}")
    broken = [*twins(answer), *required(schema, answer)]
    for what, twin in broken:
        if validator.is_valid(twin):
            faults.append(f"{name}: a twin is let through: {what}")
    return len(broken)


def main():
    tminus = str(Path(sys.argv[1]).resolve())
    faults, count = [], 0
    with tempfile.TemporaryDirectory() as directory:
        schemas = {}

        def schema(name):
            if name not in schemas:
                schemas[name] = json.loads(run(tminus, f"schema {name}", directory))
            return schemas[name]

        for arguments, name in ANSWERS:
            said = run(tminus, arguments, directory)
            if name is None:
                continue
            if " -o report.json" in arguments:
                said = (Path(directory) / "report.json").read_text()
            count += check(f"{name}: tminus {arguments}", schema(name), json.loads(said), faults)
        for path, name in FILES:
            read = tomllib.loads(Path(path).read_text())
            count += check(f"{name}: {path}", schema(name), read, faults)
    for fault in faults[:30]:
        print(fault)
    checked = len(ANSWERS) - 1 + len(FILES)
    print(f"{checked} answers and files against their schemas, {count} broken twins: "
          f"{len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
