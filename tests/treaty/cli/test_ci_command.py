"""``treaty ci`` in repositories as a hosting service makes them: branches, shallow clones, checkouts of a fork's branch."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.treaty.cli.scratch import EVENT, TOPICS, Scratch, changed, project
from treaty.local.ports import free_port
from treaty.ops.http import RegistryHttp
from treaty.registry.testing import registry

pytestmark = pytest.mark.timeout(400)  # each runs a dozen processes
FILE = "schemas/order/order_paid.avsc"
READER = """
[topic."order-events".consumer."billing-service"]
service = "billing"

[service.billing]
owner = "@mall/billing"
code = "services/billing"
"""
CODE = "from events.order import OrderPaid\n\n\ndef book(event: OrderPaid) -> None:\n    print(event.note)\n"
DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}


def with_total(scale: int) -> dict[str, object]:
    return changed(total=DECIMAL | {"scale": scale, "precision": 10 + scale})


@pytest.fixture
def origin(tmp_path: Path) -> Scratch:
    """The project's own repository: a release, its SDK, a reader, all committed on ``main``."""
    made = project(
        tmp_path / "origin",
        toml='[breaking]\nagainst = ["merge-base", "releases"]\n[lint]\nuse = ["minimal"]\n',
        event=with_total(2),
        topics=TOPICS + READER,
    )
    made.write("services/billing/handlers.py", CODE.replace("note", "total"))
    made.git("init", "-q", "-b", "main")
    for key, value in (("user.name", "t"), ("user.email", "t@example.com")):
        made.git("config", key, value)
    assert made.run("generate").code == 0
    assert made.run("owners", "--write", ".github/CODEOWNERS").code == 0
    made.commit()
    assert made.run("release", "--tag").code == 0
    return made


def break_meaning(scratch: Scratch) -> None:
    scratch.git("checkout", "-q", "-b", "feature")
    scratch.write(FILE, with_total(4))
    assert scratch.run("generate").code == 0
    scratch.commit()


def test_one_run_tells_every_job_and_writes_the_comment(origin: Scratch) -> None:
    clean = origin.run("ci", "--comment", "clean.md")
    assert clean.code == 0, clean.err
    assert [line.split()[:2] for line in clean.err.splitlines()[-4:]] == [
        ["ok", name] for name in ("lint", "breaking", "generated", "bytes")
    ]
    assert "nothing must be fixed" in (origin.root / "clean.md").read_text()
    (origin.root / "clean.md").unlink()
    break_meaning(origin)
    done = origin.run("ci", "--base", "main", "--comment", "comment.md", "--report", "report.json", "--format", "json")
    assert done.code == 1
    assert "decimal-scale-changed" in {row["rule"] for row in json.loads(done.out)["findings"]}
    text = (origin.root / "comment.md").read_text()
    row = next(line for line in text.splitlines() if line.startswith("| mall"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:2] == ["mall.order.OrderPaid", "1.0.0 → 2.0.0"]
    assert "total decimal(12, 2) → decimal(14, 4)" in cells[2]
    assert cells[3:5] == ["ok both ways", "✖ **values change**"]
    assert cells[6] == "billing (1 place)"
    assert "next release: major" in text
    assert "owner &#64;<!-- -->mall/orders" in text
    assert re.search(r"12\.34 → bytes 04 04 d2 → read as 0\.1234", text)
    assert json.loads((origin.root / "report.json").read_text())["bump"] == "major"


def test_each_job_fails_for_its_own_reason(origin: Scratch) -> None:
    def failing(*only: str) -> set[str]:
        words = [word for name in only for word in ("--only", name)]
        told = origin.run("ci", *words).err.splitlines()
        return {line.split()[1] for line in told if line.startswith("failed")}

    origin.write(FILE, with_total(4))
    assert failing() == {"breaking", "generated"}
    assert failing("breaking") == {"breaking"}
    origin.write(FILE, with_total(2) | {"name": "OrderLost"})
    assert "lint" in failing()
    origin.git("checkout", "--", FILE)
    golden = origin.root / "schemas/releases/0.1.0/golden.jsonl"
    first, *rest = golden.read_text().splitlines()
    golden.write_text("\n".join([json.dumps(json.loads(first) | {"hex": "00"}), *rest]) + "\n")
    assert failing() == {"breaking", "bytes"}, "the edited release, and its bytes"
    origin.git("checkout", "--", ".")
    owners = origin.root / ".github/CODEOWNERS"
    owners.write_text(owners.read_text().replace("@mall/orders", "@mallory"))
    assert failing() == {"generated"}


def test_a_checkout_of_a_forks_branch_gets_the_same_verdict_and_executes_nothing_of_it(
    origin: Scratch, tmp_path: Path
) -> None:
    """What a hosting service checks out: the merge of the fork's branch into the target, detached, without local branches."""
    fork = Scratch(tmp_path / "fork")
    origin.git("clone", "-q", str(origin.root), str(fork.root))
    for key, value in (("user.name", "f"), ("user.email", "f@example.com")):
        fork.git("config", key, value)
    break_meaning(fork)
    fork.write("conftest.py", "raise SystemExit('ran')\n")
    fork.write("events/__init__.py", f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    fork.write("treaty/__init__.py", f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    fork.write("services/billing/evil.py", f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    fork.commit()
    checkout = Scratch(tmp_path / "checkout")
    origin.git("clone", "-q", "--no-checkout", str(origin.root), str(checkout.root))
    checkout.git("fetch", "-q", str(fork.root), "feature")
    checkout.git("checkout", "-q", "--detach", "origin/main")
    checkout.git("merge", "-q", "--no-ff", "-m", "merge", "FETCH_HEAD")
    done = checkout.script("ci", "--report", "r.json", "--comment", "c.md", GITHUB_BASE_REF="main")
    assert done.code == 1, done.err
    assert "decimal-scale-changed" in (checkout.root / "c.md").read_text()
    assert not (tmp_path / "ran").exists()
    again = Scratch(tmp_path).script("ci", "--from", str(checkout.root / "r.json"))
    assert (again.code, again.out) == (0, (checkout.root / "c.md").read_text()), (
        "the other job makes the same of the report"
    )


def test_offline_shallow_and_from_the_registry_the_verdict_is_the_same(origin: Scratch, tmp_path: Path) -> None:
    def verdict(scratch: Scratch, *words: str, **env: str) -> set[tuple[str, str, str]]:
        done = scratch.run("breaking", "--format", "json", *words, cwd=None, **env)
        rows = json.loads(done.out)["findings"]
        assert done.code == 1, done.err
        return {(row["rule"], row["severity"], row["fingerprint"]) for row in rows if row["category"] != "source"}

    break_meaning(origin)
    whole = verdict(origin, "--against", "merge-base", "--base", "main")
    assert {("decimal-scale-changed", "error")} <= {row[:2] for row in whole}
    assert verdict(origin, "--against", "releases") == whole
    origin.git("checkout", "-q", "main")
    shallow = Scratch(tmp_path / "shallow")
    origin.git("clone", "-q", "--depth", "1", "--branch", "feature", f"file://{origin.root}", str(shallow.root))
    assert verdict(shallow, "--against", "releases") == whole, "releases lie in the tree"
    cut = shallow.run("breaking", "--against", "merge-base", "--base", "main")
    assert (cut.code, "git fetch --unshallow" in cut.err) == (3, True)
    origin.git("checkout", "-q", "feature")
    with registry() as url, RegistryHttp(url) as http:
        http.register("order-events-mall.order.OrderPaid", json.dumps(with_total(2)))
        with (origin.root / "treaty.toml").open("a") as toml:
            toml.write('[environment.prod]\nregistry = "http://localhost:1"\n')
        found = verdict(origin, "--against", "registry", "--env", "prod", TREATY_ENVIRONMENT_PROD__REGISTRY=url)
        assert found == whole


def test_a_break_that_main_has_already_is_a_remark_of_the_branch(origin: Scratch) -> None:
    origin.write(FILE, with_total(4))
    assert origin.run("generate").code == 0
    origin.commit()
    origin.git("checkout", "-q", "-b", "feature")
    origin.write(FILE, with_total(4) | {"doc": "Another doc of the same event."})
    assert origin.run("generate").code == 0
    origin.commit()
    done = origin.run("ci", "--base", "main", "--only", "breaking", "--format", "json")
    rows = [row for row in json.loads(done.out)["findings"] if row["rule"] == "decimal-scale-changed"]
    assert (done.code, {row["severity"] for row in rows}) == (0, {"info"})


def test_the_reviewed_steps_are_applied_and_no_others(origin: Scratch) -> None:
    with (origin.root / "treaty.toml").open("a") as toml:
        toml.write(f'[environment.prod]\nregistry = "http://localhost:1"\nbrokers = "127.0.0.1:{free_port()}"\n')
    origin.commit()
    with registry() as url, RegistryHttp(url) as http:
        env = {"TREATY_ENVIRONMENT_PROD__REGISTRY": url}
        assert origin.run("ci", "--env", "prod", "--report", "r.json", "--comment", "c.md", cwd=None, **env).code == 0
        seen = json.loads((origin.root / "r.json").read_text())["plan_sha256"]
        text = (origin.root / "c.md").read_text()
        assert f"plan <code>{seen[:12]}</code>" in text
        assert (
            "Registry plan for prod: 1 level, 1 version, 0 deletes, 0 drifts. Topics of prod were not looked at: "
            in text
        )
        origin.commit()  # a plan of another commit has the same steps
        planned = origin.run("registry", "plan", "--env", "prod", "--out", "plan.json", cwd=None, **env)
        assert seen[:12] in planned.err
        other = origin.run("registry", "apply", "plan.json", "--yes", "--reviewed", "0" * 64, cwd=None, **env)
        assert (other.code, "not those that were reviewed" in other.err, http.subjects()) == (1, True, [])
        assert origin.run("registry", "apply", "plan.json", "--yes", "--reviewed", seen, cwd=None, **env).code == 0
        lock = json.loads((origin.root / "schemas/schemas.lock").read_text())
        (row,) = lock["environments"]["prod"]["order-events-mall.order.OrderPaid"].values()
        assert row["id"] == 1
        assert row["sha256"] == lock["events"]["mall.order.OrderPaid"]["sha256"]
        assert origin.run("release", "--dry-run", "--bump", "patch").code == 1, "the lock is to be committed first"
        origin.commit()
        assert origin.run("release", "--bump", "patch").code == 0
        kept = json.loads((origin.root / "schemas/schemas.lock").read_text())
        assert kept["environments"] == lock["environments"], "a release keeps what apply wrote"


def test_a_shared_type_names_every_event_and_reader_that_it_is_in_once(origin: Scratch) -> None:
    line = {"type": "record", "namespace": "mall.order", "name": "OrderLine", "doc": "d", "fields": [
        {"name": "price", "type": DECIMAL, "doc": "Price."}]}  # fmt: skip
    origin.write("schemas/order/order_line.avsc", line)
    for name in ("OrderPaid", "OrderSent"):
        fields = [*EVENT["fields"], {"name": "line", "type": "mall.order.OrderLine", "doc": "Line."}]
        origin.write(f"schemas/order/order_{name[5:].lower()}.avsc", EVENT | {"name": name, "fields": fields})
    topics = (TOPICS + READER).replace('"mall.order.OrderPaid"]', '"mall.order.OrderPaid", "mall.order.OrderSent"]')
    origin.write("schemas/topics.toml", topics)
    origin.write(
        "services/billing/handlers.py",
        "from events.order import OrderPaid, OrderSent\n\n\ndef book(event: OrderPaid) -> None:\n    print(event.line.price)\n"
        "\n\ndef sent(event: OrderSent) -> None:\n    print(event.line.price)\n",
    )
    origin.commit()
    origin.git("checkout", "-q", "-b", "shared")
    line["fields"][0]["type"] = DECIMAL | {"scale": 4}  # type: ignore[index]  # a list of fields
    origin.write("schemas/order/order_line.avsc", line)
    done = origin.run("breaking", "--against", "merge-base", "--base", "main", "--format", "json")
    rows = [row for row in json.loads(done.out)["findings"] if row["rule"] == "decimal-scale-changed"]
    assert len(rows) == 1, "one change, one finding, at its own line"
    assert rows[0]["at"]["path"] == "schemas/order/order_line.avsc"
    assert rows[0]["affects"] == ["mall.order.OrderPaid", "mall.order.OrderSent"]
    assert {(reader["file"], reader["line"]) for reader in rows[0]["readers"]} == {
        ("services/billing/handlers.py", 5),
        ("services/billing/handlers.py", 9),
    }
