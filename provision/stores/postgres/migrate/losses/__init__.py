"""What statements lose, and who stops them: PostgreSQL."""
