"""Search Flickr for photos of a camera: https://www.flickr.com/services/api/flickr.photos.search.html"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from competition.collect.http import Client, DownloadFailed, DownloadRefused
from competition.collect.licenses import canonical_name, without_version
from competition.collect.url_list import PhotoUrl, check_camera_name
from competition.utils.errors import InputError

API = "https://api.flickr.com/services/rest/"
PAGE_SIZE = 500  # photos per response; the API's maximum
MAX_RESULTS = 4000  # of one search; the API repeats the last page beyond
MAX_RESPONSE_BYTES = 16 << 20
INVALID_KEY = 100  # the API's error code
DEFAULT_LICENSES = ("CC-BY", "CC-BY-SA", "CC-BY-NC", "CC-BY-NC-SA", "CC0", "PDM")  # those that allow changes


@dataclass(frozen=True)
class Query:
    """A search. camera: an id of Flickr's camera finder (www.flickr.com/cameras). text: free text.

    The camera finder reads EXIF and is therefore rarely wrong, but the `camera` argument of the search is
    undocumented. `text` matches titles, descriptions and tags. A photo must match both where both are given.
    """

    camera: str | None = None
    text: str | None = None


QUERIES = {  # by text where the camera finder has no entry for this model alone; `doctor` then checks EXIF
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


def find_queries(cameras: Collection[str], camera_id: str | None = None, text: str | None = None) -> dict[str, Query]:
    """Map each camera to its query: `camera_id` and `text` where given, else its entry of `QUERIES`.

    Raises:
        InputError: A camera has no entry in `QUERIES` and no query is given, or several cameras would share one.
    """
    if camera_id or text:
        if len(cameras) != 1:
            raise InputError(f"--flickr-camera and --text describe one camera, but --flickr names {len(cameras)}")
        return {check_camera_name(camera): Query(camera_id, text) for camera in cameras}
    for camera in cameras:
        if camera not in QUERIES:
            raise InputError(
                f"unknown camera {camera!r}; known: {', '.join(QUERIES)}; for another one, give the query with "
                "--flickr-camera or --text"
            )
    return {camera: QUERIES[camera] for camera in cameras}


class Flickr:
    """Client of the Flickr API. The key is sent in the request body because URLs end up in logs and messages."""

    def __init__(self, client: Client, key: str, api: str = API) -> None:
        self._client, self._key, self._api = client, key, api

    def license_ids(self, wanted: Collection[str]) -> dict[str, str]:
        """Map the API's id of each `wanted` license to its canonical name; a name without version means all versions.

        Raises:
            InputError: A license is unknown, or the API has none of them.
        """
        wanted = {canonical_name(name) for name in wanted}
        ids = {}
        for license in self._call("flickr.photos.licenses.getInfo", {})["licenses"]["license"]:
            try:
                name = canonical_name(license["url"])
            except InputError:
                continue  # all rights reserved, or a work without a license
            if {name, without_version(name)} & wanted:
                ids[str(license["id"])] = name
        if not ids:
            raise InputError(f"Flickr has no photos with the license {', '.join(sorted(wanted))}")
        return ids

    def search(self, camera: str, query: Query, licenses: Mapping[str, str], limit: int) -> Iterator[PhotoUrl]:
        """Yield at most `limit` original JPEG files, the latest uploads first. `device` is the owner.

        Photos without a public original are left out. `licenses`: see `license_ids`.

        Raises:
            InputError: The API refuses the request or does not respond.
        """
        fields = {
            "media": "photos",
            "content_type": "1",  # no screenshots, no drawings
            "license": ",".join(licenses),
            "extras": "url_o,original_format,license,date_upload",
            "sort": "date-posted-desc",
            "per_page": str(PAGE_SIZE),
        }
        fields |= {name: value for name, value in (("camera", query.camera), ("text", query.text)) if value}
        found = 0
        for photo in self._photos(fields):
            is_original_jpeg = "url_o" in photo and photo.get("originalformat", "jpg") == "jpg"
            if not is_original_jpeg or str(photo["license"]) not in licenses:
                continue
            if found == limit:
                return
            found += 1
            yield PhotoUrl(
                url=photo["url_o"],
                camera=camera,
                device=photo["owner"],
                licence=licenses[str(photo["license"])],
                source=f"https://www.flickr.com/photos/{photo['owner']}/{photo['id']}",
            )

    def _photos(self, fields: dict[str, str]) -> Iterator[dict[str, Any]]:
        """Yield each photo of a search once. After `MAX_RESULTS`, search again for uploads up to the oldest one."""
        seen: set[str] = set()
        upper_bound: dict[str, str] = {}
        while True:
            oldest = None
            for page in range(1, MAX_RESULTS // PAGE_SIZE + 1):
                result = self._call("flickr.photos.search", fields | upper_bound | {"page": str(page)})["photos"]
                for photo in result["photo"]:
                    oldest = int(photo["dateupload"])
                    if photo["id"] not in seen:
                        seen.add(photo["id"])
                        yield photo
                if page >= int(result["pages"]) or not result["photo"]:
                    return
            if upper_bound == {"max_upload_date": str(oldest)}:  # more than MAX_RESULTS uploads in one second
                oldest = int(str(oldest)) - 1
            upper_bound = {"max_upload_date": str(oldest)}

    def _call(self, method: str, fields: Mapping[str, str]) -> Any:
        form = {**fields, "method": method, "api_key": self._key, "format": "json", "nojsoncallback": "1"}
        try:
            body = self._client.retry(partial(self._client.post, self._api, form, MAX_RESPONSE_BYTES))
        except (DownloadRefused, DownloadFailed) as error:
            raise InputError(
                f"request to Flickr failed: {error}; collected photos are kept, run the same command again later"
            ) from None
        try:
            result = json.loads(body)
        except ValueError:
            raise InputError("expected JSON from Flickr, received something else; try again later") from None
        if result.get("stat") != "ok":
            message = str(result.get("message", "no reason given")).replace(self._key, "…")
            if result.get("code") == INVALID_KEY:
                raise InputError(f"Flickr does not accept FLICKR_API_KEY: {message}")
            raise InputError(f"Flickr refused {method}: {message}")
        return result
