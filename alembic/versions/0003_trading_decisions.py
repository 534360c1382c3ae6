"""Trading decisions"""

from alembic import op

revision = "0003"
down_revision = "0002"

# numeric NaN is greater than every number, so that >= 0 alone would let it in.
TABLE = """
CREATE TABLE trading_decisions (
    id             uuid           PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id      text           NOT NULL,
    user_id        uuid           NOT NULL,
    symbol         varchar(32)    NOT NULL,
    decision       varchar(4)     NOT NULL,
    position_size  numeric(24,8),
    decided_at     timestamptz    NOT NULL DEFAULT now(),
    created_at     timestamptz    NOT NULL DEFAULT now(),

    CONSTRAINT fk_trading_decisions_user
        FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE RESTRICT,
    CONSTRAINT chk_decision CHECK (decision IN ('BUY', 'SELL', 'HOLD')),
    CONSTRAINT chk_position_size CHECK (position_size >= 0 AND position_size <> 'NaN')
)
"""

COLUMNS = {
    "id": "Key; the same id as in ClickHouse trading_decisions_probabilistic",
    "tenant_id": "Tenant of the user (tenants.slug)",
    "user_id": "User the decision was made for; a user with decisions cannot be deleted",
    "symbol": "Trading symbol, for example AAPL",
    "decision": "BUY, SELL or HOLD",
    "position_size": "Units of the symbol, 0 or more; NULL where nothing is to be traded",
    "decided_at": "When the decision was made",
    "created_at": "When the row was written",
}


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(
        "CREATE INDEX idx_trading_decisions_symbol_time ON trading_decisions (tenant_id, symbol, decided_at DESC)"
    )
    op.execute("CREATE INDEX idx_trading_decisions_user ON trading_decisions (tenant_id, user_id, decided_at DESC)")
    op.execute("COMMENT ON TABLE trading_decisions IS 'Decisions made for users; presupposed by D2 §6.1'")
    for column, meaning in COLUMNS.items():
        op.execute(f"COMMENT ON COLUMN trading_decisions.{column} IS '{meaning}'")


def downgrade() -> None:
    op.execute("DROP TABLE trading_decisions")
