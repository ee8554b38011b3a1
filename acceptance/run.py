"""The acceptance run: `run.py [part …]`."""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import answering
import attacks
import browsers
import churn
import conference
import console
import contract
import crowd
import documents
import encryption
import endpoints
import formats
import hostile
import interop
import keeping
import load
import migration
import node_sdk
import python_sdk
import receiver
import recordings
import scenarios
import service
import signalling
import sound
import starting
import storage
import streams
from checks import Checks

PARTS = {
    "starting": starting.run,
    "conference": conference.run,
    "console": console.run,
    "answering": answering.run,
    "scenarios": scenarios.run,
    "browsers": browsers.run,
    "formats": formats.run,
    "encryption": encryption.run,
    "signalling": signalling.run,
    "interop": interop.run,
    "keeping": keeping.run,
    "hostile": hostile.run,
    "python_sdk": python_sdk.run,
    "node_sdk": node_sdk.run,
    "documents": documents.run,
    "endpoints": endpoints.run,
    "streams": streams.run,
    "migration": migration.run,
    "receiver": receiver.run,
    "recordings": recordings.run,
    "storage": storage.run,
    "contract": contract.run,
    "load": load.run,
}
# Those that measure a machine of their own, and take their time: only by name.
MEASURED = {"attacks": attacks.run, "crowd": crowd.run, "churn": churn.run}


class Stage:
    """What the parts share: a folder, voices, ports, the program, the checks."""

    def __init__(self, program, folder):
        self.program = program
        self.folder = folder
        self.checks = Checks()
        self.ports = service.Ports()
        self.voices = sound.voices(folder)


def main():
    all_parts = PARTS | MEASURED
    parser = argparse.ArgumentParser(description="Runs phones and the plivo package against mixminus.")
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(all_parts)}; {', '.join(PARTS)} when left out")
    parser.add_argument("--program", type=Path, default=service.binary())
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(all_parts):
        parser.error(f"no such part: {', '.join(unknown)}")

    folder = Path(tempfile.mkdtemp(prefix="mixminus-acceptance-"))
    stage = Stage(arguments.program.resolve(), folder)
    for name in arguments.parts or PARTS:
        with stage.checks.part(name):
            all_parts[name](stage)
    if stage.checks.failed:
        print(f"recordings and logs are in {folder}")
    else:
        shutil.rmtree(folder)
    return stage.checks.summary()


if __name__ == "__main__":
    sys.exit(main())
