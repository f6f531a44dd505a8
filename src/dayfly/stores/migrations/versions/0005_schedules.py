"""Up to when an active launch plan with a schedule has been fired."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; nothing could be active with a schedule before."""
    op.add_column("launch_plans", sa.Column("fired_at", sa.BigInteger(), nullable=True))
    op.create_index("ix_launch_plans_fired_at", "launch_plans", ["fired_at"])
