"""``treaty catalog``: the catalogue as a site."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import click

from treaty.cli.family import Family
from treaty.cli.harmless import echo, echo_row
from treaty.cli.progress import working
from treaty.cli.project import config_option, load_settings


@click.group(name="catalog", cls=Family)
def catalog() -> None:
    """Make the catalogue of events as a site, in English and Chinese, or serve it on this machine.

    \b
    treaty catalog build --to site
    treaty catalog serve

    Exit codes: 0 made, 1 a link that leads nowhere, or foreign files, 2 usage, 3 disk or a port that is taken.
    """


@catalog.command()
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("site"),
    show_default=True,
    help="The folder to write; what is not of the site in it is left alone.",
)
@config_option
def build(config: Path | None, folder: Path) -> int:
    """Write every event, shared type, topic, service and rule as static pages. Nothing in them is asked of another host.

    \b
    treaty catalog build
    treaty catalog build --to public

    Exit codes: 0 written, 1 a link that leads nowhere, or foreign files among the pages, 2 usage, 3 disk.
    """
    from treaty.ops import catalogue
    from treaty.ops.catalogue.frame import MARK
    from treaty.ops.catalogue.links import dead_links
    from treaty.ops.catalogue.site import PARTS
    from treaty.ops.generate import Generated
    from treaty.ops.generated_folders import refuse_folder_of_project
    from treaty_codegen.disk import Output

    settings = load_settings(config)
    refuse_folder_of_project(settings, folder)
    with working("Making the catalogue"):
        site = catalogue.build(settings)
        dead = [*dead_links(site)]
    for sentence in dead:
        echo_row(sentence, err=True)
    if dead:
        return 1
    made = Generated(name=str(folder), output=Output(folder=folder, parts=PARTS), wanted=site, mark=MARK)
    changes = made.changes()
    made.write(changes)
    foreign = [change for change in changes if change.kind == "foreign"]
    for change in foreign:
        echo_row(change.told(folder=made.name))
    size = sum(map(len, site.values()))
    written = len(changes) - len(foreign)
    echo(f"{len(site)} files, {size / 1e6:.1f} MB, {written} written or removed, in {folder}.", err=True)
    if foreign:
        click.echo("  next: move what is foreign out of the folder", err=True)
    return 1 if foreign else 0


@catalog.command()
@click.option("--port", type=click.IntRange(0, 65_535), default=0, show_default=True, help="0: any free one.")
@config_option
def serve(config: Path | None, port: int) -> int:
    """Serve the same pages on 127.0.0.1 until Ctrl-C, without writing anything.

    \b
    treaty catalog serve
    treaty catalog serve --port 8099

    Exit codes: 0 stopped, 2 usage, 3 the port is taken.
    """
    from treaty.ops import catalogue
    from treaty.ops.catalogue.serving import SiteServer

    with SiteServer(catalogue.build(load_settings(config)), port=port) as server:
        echo(server.url)
        with suppress(KeyboardInterrupt):
            server.serve_forever()
    return 0
