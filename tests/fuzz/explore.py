"""Looks for bytes that the gateway's parsers cannot take, led by which code they reach (libFuzzer).

    python -m tests.fuzz.explore headwind_report -max_total_time=60 corpus/

Without a name all targets are tried on the same bytes. A finding is written to `crash-...` in the working folder.
"""

import sys

import atheris

with atheris.instrument_imports(include=["pupitre.devices", "pupitre.edge.gateway.agent_wire"]):
    from tests.fuzz import targets


def main(arguments: list[str]) -> None:
    named = next((one for one in arguments[1:] if one in targets.TARGETS), "")
    rest = [one for one in arguments if one != named]

    def once(data: bytes) -> None:
        if named:
            targets.try_one(targets.TARGETS[named], data)
        else:
            targets.try_all(data)

    atheris.Setup(rest, once)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
