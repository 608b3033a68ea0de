"""Where a setting comes from, and what is said about a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from treaty.config import Settings
from treaty.errors import UsageError


def project(folder: Path, text: str = "") -> Path:
    (folder / "treaty.toml").write_text(text, encoding="utf-8")
    return folder


def load(folder: Path, **env: str) -> Settings:
    return Settings.load(None, env, start=folder)


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    project(tmp_path, '[project]\nschemas = "events"\n')
    assert load(tmp_path).values["project"]["schemas"].source == "treaty.toml"
    assert load(tmp_path).values["project"]["sdk"].source == "default"
    overridden = load(tmp_path, TREATY_PROJECT__SCHEMAS="other")
    assert overridden.get("project", "schemas") == "other"
    assert overridden.values["project"]["schemas"].source == "TREATY_PROJECT__SCHEMAS"


def test_the_file_is_found_upwards_but_not_above_the_repository(tmp_path: Path) -> None:
    project(tmp_path)
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert load(inner).root == tmp_path
    (tmp_path / "a" / ".git").mkdir()
    with pytest.raises(UsageError, match=r"No treaty\.toml"):
        load(inner)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[project]\nschemsa = 'x'\n", "did you mean `schemas`"),
        ("[projects]\n", "did you mean `project`"),
        ("[project]\nschemas = 3\n", "must be a text, not a whole number"),
        ("[environment.prod]\nregistri = 'x'\n", "did you mean `registry`"),
        ("[project\n", "not valid TOML"),
        (f"x = {'[' * 5_000}{']' * 5_000}\n", "not valid TOML"),
        ("project = 1\n", "[project] must be a table, not a whole number"),
        ("environment = []\n", "[environment] must be a table, not a list"),
        ("[environment]\nprod = 'x'\n", "[environment.prod] must be a table, not a text"),
        ("[environment.prod]\nregistry = '${TREATY_VAR_NONE}'\n", "TREATY_VAR_NONE} is not set"),
        ("[environment.prod]\nregistry = 'http://a/${AWS_SECRET}'\n", "AWS_SECRET} is not for project files"),
        ("[environment.prod]\nregistry_token_file = '/etc/shadow'\n", "secrets come from variables only"),
        ("[environment.prod]\nregistry_token = 'x'\n", "secrets come from variables only"),
    ],
)
def test_a_wrong_file_is_refused_with_the_way_out(tmp_path: Path, text: str, words: str) -> None:
    project(tmp_path, text)
    with pytest.raises(UsageError) as refused:
        load(tmp_path)
    assert words in str(refused.value)


def test_placeholders_are_filled_once_and_never_from_their_own_value(tmp_path: Path) -> None:
    project(tmp_path, "[environment.prod]\nregistry = 'http://${TREATY_VAR_HOST}'\n")
    settings = load(tmp_path, TREATY_VAR_HOST="${TREATY_VAR_OTHER}")
    assert settings.of_environment("prod")["registry"] == "http://${TREATY_VAR_OTHER}"


def test_lists_and_numbers_come_from_variables_with_their_type(tmp_path: Path) -> None:
    project(tmp_path)
    settings = load(tmp_path, TREATY_LINT__USE="minimal, field-without-doc", TREATY_REGISTRY__PORT="9000")
    assert settings.get("lint", "use") == ["minimal", "field-without-doc"]
    assert settings.get("registry", "port") == 9000
    with pytest.raises(UsageError, match="not a whole number"):
        load(tmp_path, TREATY_REGISTRY__PORT="many")


def test_an_unknown_environment_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    project(tmp_path, "[environment.prod]\nbrokers = 'k:9092'\n")
    with pytest.raises(UsageError, match="did you mean `prod`") as raised:
        load(tmp_path).of_environment("prd")
    assert raised.value.next_step == "there are: prod"


def test_a_password_in_a_url_is_not_shown(tmp_path: Path) -> None:
    registry = "[registry]\ndatabase = 'postgresql://us:hun/t@er2@host/db'\n"
    project(tmp_path, f"{registry}[environment.prod]\nregistry = 'http://token@host:1/a'\n")
    shown = {name: value for name, value, _ in load(tmp_path).rows()}
    assert shown["registry.database"] == "postgresql://***@host/db"
    assert shown["environment.prod.registry"] == "http://***@host:1/a"


def test_a_token_is_never_printed(tmp_path: Path) -> None:
    project(tmp_path, "[environment.prod]\nregistry = 'http://host'\n")
    settings = load(tmp_path, TREATY_ENVIRONMENT_PROD__REGISTRY_TOKEN="hunter2")
    assert ("environment.prod.registry_token", "***", "TREATY_ENVIRONMENT_PROD__REGISTRY_TOKEN") in settings.rows()
    assert "hunter2" not in f"{settings!r} {list(settings.rows())} {settings.of_environment('prod')}"
