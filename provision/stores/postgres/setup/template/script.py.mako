"""${message}"""

from alembic import op
% if "sa." in (upgrades or "") + (downgrades or ""):
import sqlalchemy as sa
% endif
% if imports:
${imports}
% endif

revision = "${up_revision}"
down_revision = ${repr(down_revision).replace("'", '"')}
% if branch_labels:
branch_labels = ${repr(branch_labels)}
% endif
% if depends_on:
depends_on = ${repr(depends_on)}
% endif


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
