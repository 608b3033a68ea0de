"""Which route a request takes: found by the path's segments, in one step for each, however many routes there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from treaty.registry.errors import MethodNotAllowed, NotFound
from treaty.registry.http.call import Route


@dataclass(slots=True)
class _Place:
    """Where the segments so far have led: on by a word, on by any text, and the routes that end here, by method."""

    words: dict[str, _Place] = field(default_factory=dict)
    text: _Place | None = None
    routes: dict[str, Route] = field(default_factory=dict)


class Table:
    """The routes of an application. A word in a path goes before a parameter in the same place."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._top = _Place()
        for route in routes:
            place = self._top
            for segment in route.path.split("/")[1:]:
                if segment.startswith("{"):
                    place.text = place.text or _Place()
                    place = place.text
                else:
                    place = place.words.setdefault(segment, _Place())
            place.routes[route.method] = route

    def find(self, method: str, path: str) -> tuple[Route, Mapping[str, str]]:
        """The route and the parameters of its path; raises ``NotFound``, ``MethodNotAllowed``."""
        place = _reached(self._top, path.split("/")[1:])
        if place is None:
            raise NotFound
        route = place.routes.get(method)
        if route is None:
            raise MethodNotAllowed(place.routes)
        return route, _parameters(route.path, path)


def _reached(place: _Place, segments: list[str]) -> _Place | None:
    if not segments:
        return place if place.routes else None
    first, rest = segments[0], segments[1:]
    by_word = place.words.get(first)
    found = None if by_word is None else _reached(by_word, rest)
    if found is None and first and place.text is not None:
        found = _reached(place.text, rest)
    return found


def _parameters(template: str, path: str) -> Mapping[str, str]:
    pairs = zip(template.split("/"), path.split("/"), strict=True)
    return {key[1:-1]: value for key, value in pairs if key.startswith("{")}
