"""Probability configuration templates"""

from alembic import op

revision = "0007"
down_revision = "0006"

TABLE = """
CREATE TABLE probability_config_templates (
    id           uuid          PRIMARY KEY DEFAULT gen_random_uuid(),
    name         varchar(100)  NOT NULL,
    description  text,
    category     varchar(50),

    config       jsonb         NOT NULL,

    usage_count  bigint        NOT NULL DEFAULT 0,
    last_used    timestamptz,

    created_by   uuid,
    tenant_id    text,
    is_public    boolean       NOT NULL DEFAULT false,
    tags         text[],

    created_at   timestamptz   NOT NULL DEFAULT now(),
    updated_at   timestamptz   NOT NULL DEFAULT now(),

    CONSTRAINT fk_probability_config_templates_created_by
        FOREIGN KEY (created_by) REFERENCES users (id) ON DELETE SET NULL,
    CONSTRAINT fk_probability_config_templates_tenant
        FOREIGN KEY (tenant_id) REFERENCES tenants (slug) ON DELETE RESTRICT,

    CONSTRAINT chk_category CHECK (category IN ('conservative', 'balanced', 'aggressive', 'custom')),
    CONSTRAINT chk_config CHECK (jsonb_typeof(config) = 'object'),
    CONSTRAINT chk_usage_count CHECK (usage_count >= 0)
)
"""

COLUMNS = {
    "id": "Key",
    "name": "Name shown to people",
    "description": "What the template is for",
    "category": "conservative, balanced, aggressive or custom",
    "config": "The complete configuration, an object",
    "usage_count": "Times used, 0 or more",
    "last_used": "When it was last used; NULL: never",
    "created_by": "User who wrote it; NULL once that user is deleted",
    "tenant_id": "Owner (tenants.slug); NULL: a template of the platform itself",
    "is_public": "true: every tenant may read it",
    "tags": "Words to find it by",
    "created_at": "When the row was written",
    "updated_at": "When the row was last changed; set by a trigger",
}


def upgrade() -> None:
    op.execute(TABLE)
    # Both foreign keys are searched from the other side whenever a user or a tenant is deleted.
    op.execute("CREATE INDEX idx_config_templates_created_by ON probability_config_templates (created_by)")
    op.execute("CREATE INDEX idx_config_templates_tenant ON probability_config_templates (tenant_id, name)")
    op.execute("COMMENT ON TABLE probability_config_templates IS 'Configurations to start from; D2 §2.1'")
    for column, meaning in COLUMNS.items():
        op.execute(f"COMMENT ON COLUMN probability_config_templates.{column} IS '{meaning}'")


def downgrade() -> None:
    op.execute("DROP TABLE probability_config_templates")
