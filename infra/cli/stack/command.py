"""`casestream`: the whole platform on this machine, by one command."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from infra.cli.stack.folder import DEFAULT, Folder
from infra.runtime.errors import CasestreamError

app = typer.Typer(
    name="casestream",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    help="Case and incident management on Kafka: engines and all roles on this machine.\n\n"
    "One stack belongs to one data folder (--data-dir, ./.casestream by default), which keeps all of its data, ports "
    "and keys.",
    epilog="Start here:\n\n  $ casestream up --detach\n\n  $ casestream demo\n\n  $ case-cli cases list",
)

_PORTS: Final = "Ports: one that is named must be free; 0 is any; else as last time"
_ENGINES: Final = "Engines"


class Kind(StrEnum):
    EMBEDDED = "embedded"
    DOCKER = "docker"
    EXTERNAL = "external"


DataDir = Annotated[
    Path, typer.Option("--data-dir", "-d", metavar="DIR", help="The folder that the stack keeps everything in.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON, for scripts.")]


def _port(name: str, usual: int | None = None) -> Any:
    return typer.Option(
        f"--{name}-port",
        min=0,
        max=65_535,
        metavar="N",
        help=f"{name}'s port{f', usually {usual}' if usual else ''}.",
        rich_help_panel=_PORTS,
    )


def _examples(*lines: str) -> str:
    return "Examples:\n\n" + "\n\n".join(f"  $ {line}" for line in lines)


def _console(*, errors: bool = False) -> Console:
    return Console(stderr=errors)


@contextmanager
def _told() -> Iterator[None]:
    """Show an error that has a name as its message, which says what to do; end with 1."""
    try:
        yield
    except CasestreamError as error:
        _console(errors=True).print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None
    except BrokenPipeError:
        raise typer.Exit(0) from None


@app.command(
    epilog=_examples(
        "casestream up",
        "casestream up --detach --http-port 18080",
        "casestream up --data-dir /tmp/second --http-port 0 --grpc-port 0",
        "casestream up --system postgres,redis",
        "CASESTREAM_KAFKA=kafka:9092 CASESTREAM_POSTGRES=postgresql://... casestream up --engines external",
    )
)
def up(
    *,
    data_dir: DataDir = DEFAULT,
    detach: Annotated[
        bool, typer.Option("--detach", "-D", help="Run in the background; return when all is ready.")
    ] = False,
    http_port: Annotated[int | None, _port("http", 8080)] = None,
    grpc_port: Annotated[int | None, _port("grpc", 8081)] = None,
    kafka_port: Annotated[int | None, _port("kafka", 9092)] = None,
    postgres_port: Annotated[int | None, _port("postgres", 5432)] = None,
    elasticsearch_port: Annotated[int | None, _port("elasticsearch", 9200)] = None,
    redis_port: Annotated[int | None, _port("redis", 6379)] = None,
    engines: Annotated[
        Kind,
        typer.Option(
            "--engines",
            help="embedded: real servers as children of this process. docker: in containers. external: where "
            "CASESTREAM_KAFKA, CASESTREAM_POSTGRES (the owner's DSN), CASESTREAM_ELASTICSEARCH and CASESTREAM_REDIS say.",
            rich_help_panel=_ENGINES,
        ),
    ] = Kind.EMBEDDED,
    system: Annotated[
        str,
        typer.Option(
            "--system",
            metavar="NAMES",
            help="Of embedded engines, those that this system's own programs run: postgres, redis.",
            rich_help_panel=_ENGINES,
        ),
    ] = "",
    kafka_nodes: Annotated[
        int | None,
        typer.Option(
            "--kafka-nodes",
            metavar="N",
            help="Of embedded Kafka: 1, or 3 that hold every record thrice and outlive the loss of one. Fixed by the first "
            "start of a data folder.  [default: 1]",
            rich_help_panel=_ENGINES,
        ),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(
            "--cache",
            metavar="DIR",
            help="Where downloads are kept.  [default: CASESTREAM_CACHE, or ~/.cache/casestream]",
            rich_help_panel=_ENGINES,
        ),
    ] = None,
) -> None:
    """Start engines and all roles, and say how to try them. Ctrl-C stops all in order; the data stays.

    What ends by itself is started again. Ends with 1 where the stack could not be brought up, and says why.
    """
    from infra.cli.stack import options as stack_options

    with _told():
        options = stack_options.parse(
            data_dir=data_dir,
            http_port=http_port,
            grpc_port=grpc_port,
            engines=engines.value,
            system=system,
            kafka_nodes=kafka_nodes,
            ports={
                "kafka": kafka_port,
                "postgres": postgres_port,
                "elasticsearch": elasticsearch_port,
                "redis": redis_port,
            },
            cache=cache,
        )
        if detach:
            from infra.cli.stack.detach import up as run
        else:
            from infra.cli.stack.foreground import run
        raise typer.Exit(run(options, _console(), _console(errors=True)))


@app.command(epilog=_examples("casestream down", "casestream down --data-dir /tmp/second"))
def down(*, data_dir: DataDir = DEFAULT) -> None:
    """Stop the stack, in whichever terminal it runs. The data stays. Nothing to stop is no error."""
    from infra.cli.stack import detach as stack_detach

    folder = Folder.at(data_dir)
    with _told():
        stopped = stack_detach.down(folder, _console())
    print(f"stopped: {folder.root}" if stopped else f"nothing runs on {folder.root}")


@app.command(
    epilog=_examples("casestream status", "casestream status --json | jq '.lines[] | {name, state, pid, megabytes}'")
)
def status(*, data_dir: DataDir = DEFAULT, as_json: AsJson = False) -> None:
    """Show every engine and role: state, memory, restarts. Ends with 0: ready; 1: not all of it; 3: not running."""
    import time

    from infra.cli.stack import status as stack_status
    from infra.cli.stack.view import render

    folder = Folder.at(data_dir)
    found = stack_status.read(folder)
    if as_json:
        print(json.dumps(found.to_json(folder), indent=1))
    elif found.supervisor is None:
        _not_running(found, folder)
    elif found.snapshot is not None:
        out = _console()
        out.print(render(found.snapshot, now=time.time(), moving=False))
        if found.state == "degraded":
            out.print("degraded: not all of it is ready", style="yellow")
    else:
        print(f"process {found.supervisor} begins to start a stack on {folder.root}")
    raise typer.Exit(int(found.exit))


def _not_running(found: Any, folder: Folder) -> None:
    match found.state:
        case "failed":
            print(f"no stack runs on {folder.root}; the last start failed:\n{found.snapshot.failure}")
        case "killed":
            print(f"no stack runs on {folder.root}; its supervisor was killed. `casestream up` goes on where it was")
        case _:
            print(f"no stack runs on {folder.root}. `casestream up` starts one; --data-dir names another folder")


def _names(incomplete: str) -> list[str]:
    from infra.cli.stack.logs import NAMES

    return [name for name in NAMES if name.startswith(incomplete)]


@app.command(epilog=_examples("casestream logs worker", "casestream logs api -f", "casestream logs kafka -n 200"))
def logs(
    name: Annotated[
        str,
        typer.Argument(
            metavar="ROLE", help="A role (api, worker, ...), an engine, or supervisor.", autocompletion=_names
        ),
    ],
    *,
    data_dir: DataDir = DEFAULT,
    following: Annotated[bool, typer.Option("--follow", "-f", help="Go on with the lines that come.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the last lines.")] = 50,
    raw: Annotated[bool, typer.Option("--raw", help="The lines as they are (JSON), also on a terminal.")] = False,
) -> None:
    """Show the log of one role or engine: for a person on a terminal, as it is elsewhere."""
    from infra.cli.stack import logs as stack_logs
    from infra.cli.stack.log_line import readable

    shown = readable if sys.stdout.isatty() and not raw else str
    with _told():
        path = stack_logs.path_of(Folder.at(data_dir), name)
        found, position = stack_logs.last(path, lines)
        for line in found:
            print(shown(line))
        if not following:
            return
        try:
            for line in stack_logs.follow(path, position):
                print(shown(line), flush=True)
        except KeyboardInterrupt:
            raise typer.Exit(130) from None


@app.command(epilog=_examples("casestream demo", "casestream demo --data-dir /tmp/second"))
def demo(*, data_dir: DataDir = DEFAULT) -> None:
    """Send realistic alerts and cases for both tenants, through the public APIs. A second run adds nothing twice."""
    with _told():
        from infra.cli.demo.story import run as tell

        folder = Folder.at(data_dir)
        option = "" if folder == Folder.at(DEFAULT) else f" --stack {folder.root}"
        tell(folder.read_stack(), _console(), option=option)


@app.command(epilog=_examples("casestream fetch --cache /mnt/usb/casestream"))
def fetch(
    *,
    cache: Annotated[
        Path | None,
        typer.Option("--cache", metavar="DIR", help="Where to.  [default: CASESTREAM_CACHE, or ~/.cache/casestream]"),
    ] = None,
) -> None:
    """Download the engines and start nothing: for a machine without a network, or before a demonstration."""
    from infra.engines import artifacts
    from infra.engines.progress import Terminal

    folder = (cache or artifacts.default_cache()).expanduser().absolute()
    with _told(), Terminal(_console(errors=True)) as progress:
        jars = artifacts.Store(folder).ensure([jar for jars in artifacts.locked().values() for jar in jars], progress)
    print(f"{len(jars)} files, each as locked, in {folder}")


@app.command()
def version(*, as_json: AsJson = False) -> None:
    """Say which versions these are."""
    from infra.engines.artifacts import locked

    jars = {jar.artifact: jar.version for rows in locked().values() for jar in rows}
    versions = {
        "casestream": version_of("casestream"),
        "python": platform.python_version(),
        "faust-streaming": version_of("faust-streaming"),
        "kafka": jars["kafka_2.13"],
        "elasticsearch": jars["elasticsearch"],
    }
    if as_json:
        print(json.dumps(versions))
        return
    for name, number in versions.items():
        print(f"{name:<16} {number}")


def main() -> None:
    """Run the command that the arguments name."""
    app()


if __name__ == "__main__":
    main()
