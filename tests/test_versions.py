"""Published versions: complete or absent, named oldest first, with a pointer and a ranker that is what was written."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from contract.catalogue import Catalogue, Item
from contract.errors import UsageError
from contract.ranker import Linear, Ranker, Show
from contract.versions import ItemVectors, Manifest, Versions
from contract.windows import DAY_MS

NIGHT = 20_461 * DAY_MS  # 2026-01-08
SONG = Item("song", "Song", artist="Band", genre="jazz", duration_ms=200_000, tempo=120.5)
CATALOGUE = Catalogue.of([SONG, Item("talk", "Talk", show="Show", show_genre="news", explicit=True)])
MODEL = Linear((1.0,), (2.0,), (0.5,), -0.1)
RANKER = Ranker(("plays_7d",), (0.0,), MODEL, (Show("Show", "news", 0.2, 0.5, 30.0),), NIGHT, 9, {}, {})
OTHER = msgspec.structs.replace(RANKER, model=msgspec.structs.replace(MODEL, bias=0.7))


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    """The versions of a fresh lab."""
    found = Versions(tmp_path)
    found.publish_initial(CATALOGUE)
    return found


def builds(versions: Versions) -> list[Path]:
    """The folders that hold versions and drafts."""
    return [path for path in versions.folder.iterdir() if path.is_dir() and not path.is_symlink()]


def publish(versions: Versions, name: str, ranker: Ranker = RANKER) -> Manifest:
    draft = versions.draft(name)
    CATALOGUE.write(draft / "catalogue.parquet")
    ItemVectors(("song", "talk"), np.array([[1.0, 0.0], [0.6, 0.8]])).write(draft / "item_vectors.parquet")
    ranker.write(draft / "ranker.json")
    manifest = Manifest(name, NIGHT, {0: 4, 1: 7}, "initial", NIGHT, ranker.digest, 2)
    versions.publish(draft, manifest)
    return manifest


def test_the_initial_version_is_current_and_has_a_catalogue_alone(versions: Versions) -> None:
    initial = versions.get(versions.current)
    assert initial.name == "initial"
    assert initial.catalogue == CATALOGUE
    assert (initial.item_vectors.items, initial.item_vectors.rank, initial.ranker) == ((), 0, None)


def test_a_version_comes_back_as_it_was_published(versions: Versions) -> None:
    manifest = publish(versions, "2026-01-08")
    found = versions.get("2026-01-08")
    assert (found.manifest, found.catalogue, found.ranker) == (manifest, CATALOGUE, RANKER)
    assert found.item_vectors.items == ("song", "talk")
    assert found.item_vectors.matrix.tolist() == [[1.0, 0.0], [0.6, 0.8]]


def test_a_draft_is_no_version_before_it_is_published(versions: Versions) -> None:
    draft = versions.draft("2026-01-08")
    CATALOGUE.write(draft / "catalogue.parquet")
    assert versions.names() == ["initial"]
    with pytest.raises(UsageError, match="no version '2026-01-08'"):
        versions.get("2026-01-08")


def test_a_draft_begins_empty_also_behind_one_that_was_left(versions: Versions) -> None:
    (versions.draft("2026-01-08") / "left over").write_bytes(b"")
    assert list(versions.draft("2026-01-08").iterdir()) == []


def test_the_versions_are_named_oldest_first(versions: Versions) -> None:
    for name in ("2026-01-09", "2026-01-08"):
        publish(versions, name)
    assert versions.names() == ["initial", "2026-01-08", "2026-01-09"]


def test_publishing_again_replaces_the_version_and_leaves_nothing_beside_it(versions: Versions) -> None:
    publish(versions, "2026-01-08")
    publish(versions, "2026-01-08", OTHER)
    assert versions.get("2026-01-08").ranker == OTHER
    assert versions.names() == ["initial", "2026-01-08"]
    assert len(builds(versions)) == 2, "a folder for each, and no other"


def test_publishing_does_not_move_the_pointer(versions: Versions) -> None:
    publish(versions, "2026-01-08")
    assert versions.current == "initial"
    versions.point_to("2026-01-08")
    assert Versions(versions.folder).current == "2026-01-08"


def test_the_pointer_stays_where_it_should_go_to_a_version_that_there_is_not(versions: Versions) -> None:
    publish(versions, "2026-01-08")
    versions.point_to("2026-01-08")
    with pytest.raises(UsageError, match="no version '2026-01-09'"):
        versions.point_to("2026-01-09")
    assert versions.current == "2026-01-08"


def test_a_ranker_that_was_changed_since_it_was_written_is_refused(versions: Versions) -> None:
    publish(versions, "2026-01-08")
    path = versions.folder / "2026-01-08" / "ranker.json"
    path.write_bytes(path.read_bytes().replace(b'"bias":-0.1', b'"bias":-0.2'))
    with pytest.raises(UsageError, match="digest differs"):
        _ = versions.get("2026-01-08").ranker


def test_a_ranker_that_is_cut_off_is_refused(versions: Versions) -> None:
    publish(versions, "2026-01-08")
    path = versions.folder / "2026-01-08" / "ranker.json"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UsageError, match="cannot be read"):
        _ = versions.get("2026-01-08").ranker


def test_rankers_have_the_same_digest_exactly_where_they_are_the_same() -> None:
    ordered, turned = (dict.fromkeys(names, "1") for names in (("numpy", "sklearn"), ("sklearn", "numpy")))
    assert msgspec.structs.replace(RANKER, libraries=ordered).digest == msgspec.structs.replace(RANKER, libraries=turned).digest
    assert OTHER.digest != RANKER.digest


def test_a_draft_that_died_before_it_was_linked_is_no_version_and_goes_with_the_next(versions: Versions) -> None:
    died = versions.draft("2026-01-08")
    (died / "manifest.json").write_bytes(b"{}")
    assert versions.names() == ["initial"]
    versions.draft("2026-01-08")
    assert not died.exists()


def test_publishing_again_that_dies_leaves_the_first_one_whole(versions: Versions, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(versions, "2026-01-08")

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", dies)
    with pytest.raises(KeyboardInterrupt):
        publish(versions, "2026-01-08", OTHER)
    assert versions.get("2026-01-08").ranker == RANKER


def test_no_name_leads_out_of_the_folder(versions: Versions) -> None:
    with pytest.raises(UsageError, match="no version"):
        versions.get(f"../{versions.folder.name}/initial")


def test_no_vectors_come_back_as_none(tmp_path: Path) -> None:
    ItemVectors.none().write(tmp_path / "vectors.parquet")
    assert ItemVectors.read(tmp_path / "vectors.parquet").items == ()
