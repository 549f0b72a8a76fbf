"""The MCP server, asked by the SDK's own client: its answers, and what it refuses to read."""

from __future__ import annotations

import base64
import io
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

from chosen import EVERY_TRAP, counter_at
from made_files import MadeFile
from media_files import read_counter
from salientclips.adapters.mcp import Folders, make_server
from salientclips.errors import InputError

mcp = pytest.importorskip("mcp")
anyio = pytest.importorskip("anyio")

GetMade = Callable[[str], MadeFile]


def ask(server: Any, tool: str, **arguments: Any) -> Any:
    """One call by the SDK's client, connected in memory."""

    async def call() -> Any:
        async with mcp.Client(server) as client:
            return await client.call_tool(tool, arguments)

    return anyio.run(call)


def test_the_tools_are_listed(tmp_path: Path) -> None:
    async def names() -> list[str]:
        async with mcp.Client(make_server([tmp_path])) as client:
            return [tool.name for tool in (await client.list_tools()).tools]

    assert sorted(anyio.run(names)) == ["frames", "probe", "select"]


def test_probe_and_select_say_what_the_command_line_says(made: GetMade) -> None:
    path = made("vfr").path
    server = make_server([path.parent])
    found = ask(server, "probe", path=path.name).structured_content
    assert found["video"]["variable_frame_rate"] is True
    chosen = ask(server, "select", path=str(path), k=2, sampler="packet-cost").structured_content
    assert [clip["rank"] for clip in chosen["clips"]] == [1, 2]
    longer = ask(server, "select", path=str(path), k=9, clip_seconds=2).structured_content
    assert [clip["end_s"] - clip["start_s"] for clip in longer["clips"]] == pytest.approx(
        [2, 2, 2.5], abs=0.6
    )


@pytest.mark.parametrize("name", EVERY_TRAP)
def test_frames_show_the_counter_of_their_label(name: str, made: GetMade) -> None:
    file = made(name)
    parts = ask(
        make_server([file.path.parent]), "frames", path=file.path.name, num_frames=4, sampler="uniform"
    ).content
    assert [part.type for part in parts] == ["text", "image"] * 4
    for text, image in zip(parts[::2], parts[1::2], strict=True):
        with av.open(io.BytesIO(base64.b64decode(image.data)), format="jpeg_pipe") as container:
            picture = next(container.decode(video=0)).to_ndarray(format="rgb24")
        assert read_counter(picture) == counter_at(file, float(text.text.split(" s ")[0]))


def test_errors_carry_their_remedy(made: GetMade) -> None:
    path = made("vfr").path
    server = make_server([path.parent])
    for tool, wrong in (
        ("select", {"path": path.name, "sampler": "nonsense"}),
        ("select", {"path": path.name, "k": 0}),
        ("select", {"path": path.name, "k": 10**9}),
        ("select", {"path": path.name, "clip_seconds": -1}),
        ("frames", {"path": path.name, "num_frames": 10_000}),
        ("probe", {"path": "absent.mp4"}),
    ):
        said = ask(server, tool, **wrong)
        assert said.is_error
        assert ";" in said.content[0].text


@pytest.fixture
def house(tmp_path: Path, made: GetMade) -> Path:
    """A folder to be served, with ways out of it."""
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    (inside / "sub").mkdir(parents=True)
    outside.mkdir()
    for place in (inside / "v.mp4", inside / "sub" / "v.mp4", outside / "v.mp4"):
        shutil.copy(made("vfr").path, place)
    (inside / "link.mp4").symlink_to(outside / "v.mp4")
    (inside / "own.mp4").symlink_to(inside / "v.mp4")
    (inside / "door").symlink_to(outside)
    (inside / "loop").symlink_to(inside / "loop")
    return tmp_path


def test_only_files_in_the_folders_are_read(house: Path) -> None:
    folders = Folders([house / "inside"])
    for name in ("v.mp4", "sub/v.mp4", str(house / "inside" / "v.mp4")):
        assert folders.file(name).name == "v.mp4"
    for name in (
        "../outside/v.mp4",
        "sub/../v.mp4",
        str(house / "outside" / "v.mp4"),
        str(house / "inside" / ".." / "outside" / "v.mp4"),
        "link.mp4",
        "own.mp4",
        "door/v.mp4",
        "loop/v.mp4",
        "sub",
        "",
        ".",
        "v.mp4\0",
        "/etc/passwd",
        "x" * 5000,
    ):
        with pytest.raises(InputError, match="is no file in the folders"):
            folders.file(name)


def test_a_tool_cannot_be_led_outside(house: Path) -> None:
    server = make_server([house / "inside"])
    for name in ("../outside/v.mp4", "link.mp4", str(house / "outside" / "v.mp4")):
        for tool in ("probe", "select", "frames"):
            said = ask(server, tool, path=name)
            assert said.is_error
            assert "is no file in the folders" in said.content[0].text


def test_a_served_folder_may_itself_be_a_link(house: Path) -> None:
    assert Folders([house / "inside" / "door"]).file("v.mp4") == (house / "outside" / "v.mp4").resolve()


def test_a_server_needs_folders_that_exist(tmp_path: Path) -> None:
    for folders in ([], [tmp_path / "absent"]):
        with pytest.raises(InputError):
            make_server(folders)


def test_the_command_serves_over_stdio(made: GetMade) -> None:
    from mcp import StdioServerParameters
    from mcp.client.stdio import stdio_client

    path = made("vfr").path
    words = ["-m", "salientclips", "mcp", str(path.parent)]
    server = StdioServerParameters(command=sys.executable, args=words, env=dict(os.environ))

    async def call() -> Any:
        async with mcp.Client(stdio_client(server)) as client:
            return await client.call_tool("probe", {"path": path.name})

    assert anyio.run(call).structured_content["container"].startswith("mov")
