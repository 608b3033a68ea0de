"""Makes .venv from the hashed locks; needs nothing but this Python and the package index its clients are set to.

uv does the work; where its wheel cannot be had, pip does the same from the same locks, slower. An index that is set only for
pip (PIP_INDEX_URL, pip.conf) is handed on to uv, which does not read pip's settings. Run by the Makefile; exit 3 says that
the machine lacks something, with the next step.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
TOOLS = VENV / "tools"
LOCKS = ("requirements.lock", "build.lock")
MEMBERS = ("platform/avro", "platform/runtime", "platform/tool", "codegen", "sdk", "services")


def run(*command: str | Path, env: dict[str, str] | None = None, quiet: bool = False) -> bool:
    """Runs one command in the repository; False if it failed or could not start."""
    out = subprocess.DEVNULL if quiet else None
    try:
        return (
            subprocess.run([str(c) for c in command], cwd=ROOT, env=env, stdout=out, stderr=out, check=False).returncode
            == 0
        )
    except OSError:
        return False


def fingerprint() -> str:
    """What the environment depends on: a changed lock, project file or Python makes it anew."""
    files = [ROOT / name for name in (*LOCKS, "tools.lock", "scripts/bootstrap.py")]
    files += [ROOT / member / "pyproject.toml" for member in MEMBERS]
    digest = hashlib.sha256(sys.version.encode())
    for file in files:
        digest.update(file.read_bytes() if file.exists() else b"")
    return digest.hexdigest()


def uv_environment() -> dict[str, str]:
    env = dict(os.environ, UV_PYTHON_DOWNLOADS="never", UV_SYSTEM_CERTS="1")
    env.setdefault("UV_LINK_MODE", "copy")
    if not {"UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_CONFIG_FILE"} & env.keys():
        asked = subprocess.run(
            [sys.executable, "-m", "pip", "config", "get", "global.index-url"],
            capture_output=True,
            text=True,
            check=False,
        )
        index = env.get("PIP_INDEX_URL") or (asked.stdout.strip() if asked.returncode == 0 else "")
        if index:
            env["UV_DEFAULT_INDEX"] = index
    return env


def make_venv(folder: Path) -> list[str | Path]:
    """Makes a virtual environment; returns the pip command that installs into it (empty: impossible here)."""
    if run(sys.executable, "-m", "venv", folder, quiet=True):
        return [folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check"]
    # Debian's python3 without python3-venv has no ensurepip: the system's pip can install into a bare environment.
    shutil.rmtree(folder, ignore_errors=True)
    if run(sys.executable, "-m", "venv", "--without-pip", folder, quiet=True):
        return [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", folder / "bin" / "python"]
    return []


def get_uv() -> Path | None:
    uv = TOOLS / "bin" / "uv"
    wanted = (ROOT / "tools.lock").read_text(encoding="utf-8").split("\\")[0].strip().removeprefix("uv==")
    have = subprocess.run([uv, "--version"], capture_output=True, text=True, check=False).stdout if uv.exists() else ""
    if wanted in have.split():
        return uv
    pip = make_venv(TOOLS)
    if pip and run(*pip, "install", "-q", "--require-hashes", "-r", "tools.lock") and uv.exists():
        return uv
    return None


def install_with_uv(uv: Path) -> bool:
    env = uv_environment()
    editable = [part for member in MEMBERS for part in ("-e", f"./{member}")]
    return (
        run(uv, "venv", "-q", "--allow-existing", "--python", sys.executable, VENV, env=env)
        # Compiled once: with PYTHONDONTWRITEBYTECODE set, each service and command would compile all it imports at every start.
        and run(uv, "pip", "sync", "-q", "--compile-bytecode", "--require-hashes", "--python", PYTHON, *LOCKS, env=env)
        and run(uv, "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--python", PYTHON, *editable, env=env)
    )


def install_with_pip() -> bool:
    pip = make_venv(VENV)
    locks = [part for lock in LOCKS for part in ("-r", lock)]
    editable = [part for member in MEMBERS for part in ("-e", f"./{member}")]
    return (
        bool(pip)
        and run(*pip, "install", "-q", "--require-hashes", *locks)
        and run(*pip, "install", "-q", "--no-deps", "--no-build-isolation", *editable)
    )


def main() -> int:
    """Brings .venv up to date; returns the exit code."""
    stamp, wanted, started = VENV / ".ready", fingerprint(), time.monotonic()
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        stamp.touch()
        return 0
    print("Setting up .venv from the locks (once) ...", flush=True)
    VENV.mkdir(exist_ok=True)
    stamp.unlink(missing_ok=True)
    uv = get_uv()
    if not (install_with_uv(uv) if uv else install_with_pip()):
        print(
            "The Python environment could not be made: see the message above. Usual causes: no package index within reach "
            "(set PIP_INDEX_URL), no disk space, or a Python without venv and pip (Debian: apt install python3-venv python3-pip).",
            file=sys.stderr,
        )
        return 3
    stamp.write_text(wanted, encoding="utf-8")
    print(f"Ready in {time.monotonic() - started:.0f} s ({'uv' if uv else 'pip'}, Python {sys.version.split()[0]}).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
