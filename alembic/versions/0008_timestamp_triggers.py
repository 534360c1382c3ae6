"""Triggers that keep the time of the last change"""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute(
        """
        CREATE FUNCTION update_probability_timestamp() RETURNS trigger
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
        AS $$
        BEGIN
            NEW.updated_at = now();
            RETURN NEW;
        END
        $$
        """
    )
    # The models name the column differently, so that they need a function of their own.
    op.execute(
        """
        CREATE FUNCTION update_model_timestamp() RETURNS trigger
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
        AS $$
        BEGIN
            NEW.last_updated = now();
            RETURN NEW;
        END
        $$
        """
    )
    op.execute("COMMENT ON FUNCTION update_probability_timestamp() IS 'Sets updated_at of the changed row; D2 §6.1'")
    op.execute("COMMENT ON FUNCTION update_model_timestamp() IS 'Sets last_updated of the changed row; D2 §6.1'")
    op.execute(
        """
        CREATE TRIGGER update_user_prefs_timestamp BEFORE UPDATE ON user_probability_preferences
        FOR EACH ROW EXECUTE FUNCTION update_probability_timestamp()
        """
    )
    op.execute(
        """
        CREATE TRIGGER update_config_templates_timestamp BEFORE UPDATE ON probability_config_templates
        FOR EACH ROW EXECUTE FUNCTION update_probability_timestamp()
        """
    )
    op.execute(
        """
        CREATE TRIGGER update_models_timestamp BEFORE UPDATE ON probabilistic_models
        FOR EACH ROW EXECUTE FUNCTION update_model_timestamp()
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER update_models_timestamp ON probabilistic_models")
    op.execute("DROP TRIGGER update_config_templates_timestamp ON probability_config_templates")
    op.execute("DROP TRIGGER update_user_prefs_timestamp ON user_probability_preferences")
    op.execute("DROP FUNCTION update_model_timestamp()")
    op.execute("DROP FUNCTION update_probability_timestamp()")
