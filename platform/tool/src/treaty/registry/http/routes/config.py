"""``/config``: compatibility levels and what goes with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from treaty.registry.decisions.config_change import config_change
from treaty.registry.http.bodies import config_body
from treaty.registry.http.call import Call, Route
from treaty.registry.names import TOP, Name
from treaty.registry.rows import Json


def read_config(call: Call) -> Json:
    """The config of a subject, a context, or everything."""
    config = call.service.governing.config(_place(call), in_scope=call.flag("defaultToGlobal"))
    return config_body(config, level_key="compatibilityLevel")


def write_config(call: Call) -> Json:
    """Change a config: absent members stay, ``null`` clears."""
    config = call.service.governing.set_config(_place(call), _change(call))
    return config_body(config, level_key="compatibility")


def delete_config(call: Call) -> Json:
    """Remove a config and answer the old one."""
    return config_body(call.service.governing.drop_config(_place(call)), level_key="compatibilityLevel")


def _change(call: Call) -> Mapping[str, Json | None]:
    return config_change(call.members(), limits=call.service.settings.limits)


def _place(call: Call) -> Name:
    return call.subject if "subject" in call.params else TOP


ROUTES: Final = tuple(
    Route(method, path, handler)
    for path in ("/config", "/config/{subject}")
    for method, handler in (("GET", read_config), ("PUT", write_config), ("DELETE", delete_config))
)
