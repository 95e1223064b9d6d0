"""Photographs of a camera by the Flickr API: https://www.flickr.com/services/api/flickr.photos.search.html"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from competition.collect.faults import Failed, Refused
from competition.collect.http import Client
from competition.collect.licences import canonical, family
from competition.collect.url_list import Address, check_camera
from competition.utils.errors import InputError

API = "https://api.flickr.com/services/rest/"
PAGE = 500  # photographs in one answer; the API's most
WINDOW = 4000  # of a longer result, the API repeats the last of these for ever
MOST_BYTES = 16 << 20
INVALID_KEY = 100  # the API's code
LICENCES = ("CC-BY", "CC-BY-SA", "CC-BY-NC", "CC-BY-NC-SA", "CC0", "PDM")  # those that allow changes


@dataclass(frozen=True)
class Query:
    """What to search for. camera: an id of Flickr's camera finder (www.flickr.com/cameras); text: free words.

    The finder's id is taken from EXIF and therefore rarely wrong, but its argument to the search is undocumented.
    Words are found in titles, descriptions and tags. Either may be None; a photograph must match both.
    """

    camera: str | None = None
    text: str | None = None


QUERIES = {  # by words where the finder has no entry for the model alone; `doctor` then judges by EXIF
    "HTC-1-M7": Query("htc/one"),
    "LG-Nexus-5x": Query(text="nexus 5x"),
    "Motorola-Droid-Maxx": Query(text="droid maxx"),
    "Motorola-Nexus-6": Query("motorola/nexus_6"),
    "Motorola-X": Query(text="moto x"),
    "Samsung-Galaxy-Note3": Query("samsung/galaxy-note-3"),
    "Samsung-Galaxy-S4": Query("samsung/galaxy_s4"),
    "Sony-NEX-7": Query("sony/nex-7"),
    "iPhone-4s": Query("apple/iphone_4s"),
    "iPhone-6": Query("apple/iphone_6"),
}


def queries(labels: Collection[str], camera: str | None = None, text: str | None = None) -> dict[str, Query]:
    """Label → what to search for: the given `camera` and `text`, or what `QUERIES` has.

    Raises `InputError` for a label that is not in `QUERIES` and has no query of its own, and for a query that
    several labels would share.
    """
    if camera or text:
        if len(labels) != 1:
            raise InputError(f"--flickr-camera and --text describe one camera, but --flickr names {len(labels)}")
        return {check_camera(label): Query(camera, text) for label in labels}
    for label in labels:
        if label not in QUERIES:
            raise InputError(
                f"unknown camera {label!r}; known: {', '.join(QUERIES)}; for another, say what to search for with "
                "--flickr-camera or --text"
            )
    return {label: QUERIES[label] for label in labels}


class Flickr:
    """The API. The key travels in the body of requests: addresses end up in logs and error messages."""

    def __init__(self, client: Client, key: str, api: str = API) -> None:
        self._client, self._key, self._api = client, key, api

    def licences(self, wanted: Collection[str]) -> dict[str, str]:
        """The API's number → canonical name of its licences that are `wanted`, in one version or in all.

        Raises `InputError` for an unknown licence, and where the API has none of them.
        """
        wanted = {canonical(name) for name in wanted}
        numbers = {}
        for licence in self._call("flickr.photos.licenses.getInfo", {})["licenses"]["license"]:
            try:
                name = canonical(licence["url"])
            except InputError:
                continue  # all rights reserved, and works that no licence covers
            if {name, family(name)} & wanted:
                numbers[str(licence["id"])] = name
        if not numbers:
            raise InputError(f"Flickr has no photographs under {', '.join(sorted(wanted))}")
        return numbers

    def search(self, label: str, query: Query, licences: Mapping[str, str], most: int) -> Iterator[Address]:
        """At most `most` originals, the latest uploads first; `device` is their owner.

        Left out are those whose owner does not offer the original and those that are no JPEG. Raises `InputError`
        where the API refuses or stays out of reach.
        """
        fields = {
            "media": "photos",
            "content_type": "1",  # no screenshots, no drawings
            "license": ",".join(licences),
            "extras": "url_o,original_format,license,date_upload",
            "sort": "date-posted-desc",
            "per_page": str(PAGE),
        }
        fields |= {name: value for name, value in (("camera", query.camera), ("text", query.text)) if value}
        found = 0
        for photo in self._photos(fields):
            original = "url_o" in photo and photo.get("originalformat", "jpg") == "jpg"
            if not original or str(photo["license"]) not in licences:
                continue
            if found == most:
                return
            found += 1
            yield Address(
                url=photo["url_o"],
                camera=label,
                device=photo["owner"],
                licence=licences[str(photo["license"])],
                source=f"https://www.flickr.com/photos/{photo['owner']}/{photo['id']}",
            )

    def _photos(self, fields: dict[str, str]) -> Iterator[dict[str, Any]]:
        """All photographs of a search, each once: beyond `WINDOW`, the search begins anew where it had got to."""
        seen: set[str] = set()
        latest: dict[str, str] = {}
        while True:
            oldest = None
            for page in range(1, WINDOW // PAGE + 1):
                answer = self._call("flickr.photos.search", fields | latest | {"page": str(page)})["photos"]
                for photo in answer["photo"]:
                    oldest = int(photo["dateupload"])
                    if photo["id"] not in seen:
                        seen.add(photo["id"])
                        yield photo
                if page >= int(answer["pages"]) or not answer["photo"]:
                    return
            if latest == {"max_upload_date": str(oldest)}:  # thousands of one second; only the first can be had
                oldest = int(str(oldest)) - 1
            latest = {"max_upload_date": str(oldest)}

    def _call(self, method: str, fields: Mapping[str, str]) -> Any:
        form = {**fields, "method": method, "api_key": self._key, "format": "json", "nojsoncallback": "1"}
        try:
            answer = self._client.persist(partial(self._client.post, self._api, form, MOST_BYTES))
        except (Refused, Failed) as reason:
            raise InputError(
                f"Flickr cannot be asked: {reason}; what was collected is kept, give the same command again later"
            ) from None
        try:
            result = json.loads(answer)
        except ValueError:
            raise InputError("Flickr answered something that is not JSON; try again later") from None
        if result.get("stat") != "ok":
            message = str(result.get("message", "no reason given")).replace(self._key, "…")
            if result.get("code") == INVALID_KEY:
                raise InputError(f"Flickr does not accept FLICKR_API_KEY: {message}")
            raise InputError(f"Flickr refused {method}: {message}")
        return result
