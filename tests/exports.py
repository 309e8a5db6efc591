"""Small exports made from the facts of their formats: rows as Spotify and ListenBrainz write them, as files, folders and zips.

No row of them was ever anybody's: names, addresses and identifiers are made up.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

SECRETS = ("203.0.113.77", "secret-account", "Mozilla%2F5.0", "Atlantis", "Lost Region", "secret-device")
"""What only the dropped fields of these rows hold."""
_NOBODY = dict.fromkeys(
    ("master_metadata_track_name", "master_metadata_album_artist_name", "master_metadata_album_album_name", "spotify_track_uri",
     "episode_name", "episode_show_name", "spotify_episode_uri")
)  # fmt: skip
_CHAPTER = dict.fromkeys(("audiobook_title", "audiobook_uri", "audiobook_chapter_uri", "audiobook_chapter_title"))


def extended(**fields: Any) -> dict[str, Any]:
    """A row of the newer schema; a track, where nothing else is said."""
    track = {
        "master_metadata_track_name": "Slow Tide", "master_metadata_album_artist_name": "The Lanterns",
        "master_metadata_album_album_name": "Harbour", "spotify_track_uri": "spotify:track:0000000000000000000001",
    }  # fmt: skip
    about = {} if fields.keys() & {"spotify_episode_uri", "episode_name", "audiobook_uri", "audiobook_title"} else track
    ends = {"reason_start": "clickrow", "reason_end": "trackdone", "shuffle": False, "skipped": None, "offline": False}
    plain = {
        "ts": "2024-03-01T20:15:00Z",
        "platform": "android",
        "ms_played": 180_000,
        "conn_country": "SE",
        "ip_addr": SECRETS[0],
    }
    return {**plain, **_NOBODY, **_CHAPTER, **about, **ends, "offline_timestamp": 1709324100, "incognito_mode": False, **fields}


def old(**fields: Any) -> dict[str, Any]:
    """A row of the older schema: a user name, a deciphered address, where it was, and no audiobooks."""
    rest = {name: value for name, value in extended().items() if name not in {*_CHAPTER, "ip_addr"}}
    personal = {
        "username": SECRETS[1], "ip_addr_decrypted": SECRETS[0], "user_agent_decrypted": SECRETS[2], "city": SECRETS[3],
        "region": SECRETS[4], "metro_code": "807",
    }  # fmt: skip
    return {**rest, **personal, **fields}


def episode(**fields: Any) -> dict[str, Any]:
    about = {"episode_name": "Of Bridges", "episode_show_name": "Stone and Steel"}
    return extended(**{**about, "spotify_episode_uri": "spotify:episode:0000000000000000000002", **fields})


def chapter(**fields: Any) -> dict[str, Any]:
    about = {"audiobook_title": "The Long Shore", "audiobook_chapter_title": "Chapter 2"}
    uris = {
        "audiobook_uri": "spotify:show:0000000000000000000003",
        "audiobook_chapter_uri": "spotify:episode:0000000000000000000004",
    }
    return extended(**{**about, **uris, **fields})


def basic(**fields: Any) -> dict[str, Any]:
    """A row of the basic export's music."""
    return {"endTime": "2024-03-01 20:15", "artistName": "The Lanterns", "trackName": "Slow Tide", "msPlayed": 180_000, **fields}


def basic_episode(**fields: Any) -> dict[str, Any]:
    return {
        "endTime": "2024-03-01 21:00",
        "podcastName": "Stone and Steel",
        "episodeName": "Of Bridges",
        "msPlayed": 1_200_000,
        **fields,
    }


def listen(info: Mapping[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """A listen of a ListenBrainz export."""
    names = {"artist_name": "The Lanterns", "track_name": "Slow Tide", "recording_msid": "0" * 8}
    metadata = {**names, "mbid_mapping": None, "additional_info": {"submission_client": SECRETS[5], **(info or {})}}
    return {
        "listened_at": 1_709_324_100,
        "inserted_at": 1_709_324_200.5,
        "user_name": SECRETS[1],
        "track_metadata": metadata,
        **fields,
    }


def as_json(*rows: Any) -> bytes:
    return json.dumps(rows).encode()


def as_lines(*rows: Any) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def as_zip(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of files by name, in the order given."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def placed(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def fixture(name: str) -> Path:
    """A file of the folder of import fixtures; the test is skipped where nothing names it."""
    if "SKEWLAB_DATA" not in os.environ:
        pytest.skip("SKEWLAB_DATA does not name the folder of the import fixtures")
    return Path(os.environ["SKEWLAB_DATA"]) / "listenbrainz-fixtures" / name
