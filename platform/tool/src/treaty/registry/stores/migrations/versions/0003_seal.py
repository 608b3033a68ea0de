"""Add the audit's chain: each entry's place in it, and its seal."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, LargeBinary

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add both columns; entries of before are sealed like new ones."""
    op.add_column("audit", Column("seal", LargeBinary))
    op.add_column("audit", Column("position", BigInteger))
    op.create_index("audit_position", "audit", ["position"], unique=True)
