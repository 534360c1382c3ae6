"""A database that was left alone for 13 months says so everywhere, and one `up` mends it."""

from __future__ import annotations

import shutil

import psycopg

from tests.validate.platform import REPOSITORY, Platform

TABLES = ("ml_enhancement_store", "ml_feature_store", "ml_predictions")
NO_WINDOWS = """
do $$ declare each record; begin
    for each in select inhrelid::regclass as name from pg_inherits
        where inhparent::regclass::text = any('{{{names}}}') loop
        execute format('drop table %s', each.name);
    end loop;
end $$
"""


def test_a_database_left_alone_says_so_and_one_up_mends_it(platform: Platform) -> None:
    shutil.copytree(REPOSITORY / "partitions", platform.folder / "partitions")
    try:
        platform.run("up")
        with psycopg.connect(platform.postgres, autocommit=True) as connection:
            connection.execute(NO_WINDOWS.format(names=",".join(TABLES)).encode())

        status = platform.run("status", "--check")
        assert status.code == 1
        assert all(f"{table} takes no row now" in status.out for table in TABLES), status.out
        doctor = platform.run("doctor")
        assert doctor.code == 1
        assert all(f"{table} takes no row now" in doctor.out for table in TABLES), doctor.out
        assert platform.run("validate", "predictions", "-o", "json").found["windows_run_out"]["status"] == "fail"
        features = platform.run("validate", "features").out
        assert features.count("windows_run_out") == 2, features
        forecast = platform.run("partitions", "forecast")
        assert (forecast.code, forecast.out.count("takes no row now")) == (1, 3), forecast.out

        assert platform.run("up").code == 0

        assert platform.run("status", "--check").code == 0
        assert "windows_run_out" not in platform.run("validate", "predictions", "-o", "json").found
        assert "windows_run_out" not in platform.run("validate", "features").out
        assert platform.run("partitions", "forecast").code == 0
    finally:
        shutil.rmtree(platform.folder / "partitions")
