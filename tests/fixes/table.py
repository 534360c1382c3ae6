"""Which test follows the fix of which error, and of which errors a person follows it. Held against docs/errors.md."""

from __future__ import annotations

# The test, by its place below tests/, with the codes whose fix it takes as it is printed.
FOLLOWED = {
    "backfill/test_disk.py::test_a_tablespace_without_room_ends_the_run_and_it_goes_on_once_there_is_some": (
        "disk-full"
    ),
    "backfill/test_enemies.py::test_a_log_that_is_gone_ends_the_run_and_the_next_one_begins_anew": "run-gone",
    "backfill/test_influx_gaps.py::test_query_of_another_shape_is_refused": "foreign-rollup",
    "backfill/test_influx_gaps.py::test_wrong_document_is_refused": "unknown-rollup rollup-order empty-range",
    "backfill/test_locked.py::test_rows_that_stay_locked_end_the_run_after_a_while_by_their_keys": "rows-locked",
    "backfill/test_other_stores.py::test_keys_of_provision_are_refused_and_those_of_the_application_named": "own-keys",
    "backfill/test_weaviate_copy.py::test_what_has_no_place_is_dropped_as_the_fix_says": "not-replaceable",
    "cli/test_verify.py::test_what_was_changed_by_hand_is_taken_back_as_drift_says": "changed-by-hand",
    "stores/postgres/test_export.py::test_a_folder_that_is_not_there_is_made_as_the_fix_says": "export-folder",
    "stores/postgres/test_maintain.py::test_a_function_that_is_not_there_is_made_as_the_fix_says": "unknown-function",
    "validate/test_redis.py::test_catalogue_is_made_by_the_command_of_the_fix": "no-catalogue",
    "backfill/test_table_locked.py::test_table_that_stays_locked_ends_the_run_before_it_begins": "table-locked",
    "backfill/test_on_error.py::test_a_batch_that_gives_way_too_often_ends_the_run_and_it_goes_on_later": (
        "batch-in-the-way"
    ),
    "cli/test_fixes_followed.py::test_command_of_the_fix_leads_on": (
        "usage no-such-revision unreachable revision-changed number-taken revision-unknown "
        "versions-lost changed-half-way dirty half-applied ledger-illegal already-applied "
        "nothing-to-resolve statement-failed"
    ),
    "cli/test_fixes_followed.py::test_no_project_init_makes_one": "no-project",
    "cli/test_fixes_followed.py::test_option_of_the_fix_lets_the_same_command_through": (
        "environment-not-named out-of-order destructive down-without-target required-by-others"
    ),
    "cli/test_fixes_followed.py::test_plan_that_cannot_be_carried_out_is_made_again": "plan-invalid stale-plan",
    "cli/test_fixes_followed.py::test_unknown_name_is_corrected_to_the_nearest": "unknown-store",
    "cli/test_baseline_proved.py::test_database_that_lacks_an_object_is_refused_until_it_is_made": "schema-differs",
    "cli/test_resolve_seen.py::test_applied_of_what_is_not_there_is_refused_until_it_is_made": "disproved",
    "cli/test_store_add.py::test_missing_folder_is_made_by_the_command_of_its_fix": "missing-folder",
    "cli/test_store_add.py::test_several_alembic_folders_become_stores_by_the_fix": "several-alembic-folders",
    "cli/test_store_add.py::test_shared_folder_is_parted_by_its_fix": "shared-folder",
    "cli/test_store_add.py::test_unset_variable_goes_when_the_url_is_off": "unset-variable",
    "fixes/test_of_backfills.py::test_bad_setting_is_written_as_the_fix_says": "bad-setting",
    "fixes/test_of_backfills.py::test_fix_is_followed_to_the_last_row": (
        "requirement-not-met nothing-to-join backfill-changed run-illegal batch-failed bad-yield "
        "schema-changed rows-left rows-skipped verify-failed run-contested batch-refused "
        "nothing-to-ask"
    ),
    "fixes/test_of_backfills.py::test_lease_held_is_joined_as_the_fix_says": "lease-held",
    "fixes/test_of_backfills.py::test_unknown_backfill_is_corrected_to_the_nearest": "unknown-backfill",
    "fixes/test_of_backfills.py::test_unknown_table_is_corrected_to_the_nearest": "unknown-table",
    "fixes/test_of_files.py::test_command_is_typed_as_the_fix_asks_for_it": (
        "bad-name store-exists no-such-page no-documents bad-message"
    ),
    "fixes/test_of_files.py::test_file_is_written_as_the_fix_asks_for_it": (
        "toml-invalid missing-key bad-value unknown-key unknown-kind bad-duration bad-filename "
        "empty-migration bad-header bad-yaml document-invalid orphan-down duplicate-id both-ways "
        "number-too-high missing-parent missing-requirement two-heads cycle nothing-read not-a-file"
    ),
    "fixes/test_of_projects.py::test_damaged_engine_is_begun_anew_by_the_command": (
        "confirmation-needed engine-failed"
    ),
    "fixes/test_of_projects.py::test_engine_not_made_is_made_by_the_command": "not-made",
    "fixes/test_of_projects.py::test_file_in_the_place_of_the_engines_is_moved_away": "folder-not-writable",
    "fixes/test_of_projects.py::test_folder_of_a_new_store_that_is_not_empty_is_another": "folder-not-empty",
    "fixes/test_of_projects.py::test_irreversible_is_left_standing_or_undone_by_another": "irreversible",
    "fixes/test_of_projects.py::test_project_that_exists_is_begun_in_another_folder": "project-exists",
    "fixes/test_of_projects.py::test_requirement_of_a_store_that_is_off_is_set": "requirement-not-configured",
    "fixes/test_of_projects.py::test_store_without_a_url_is_given_one_or_switched_off": "no-url",
    "fixes/test_of_records.py::test_home_that_evicts_is_told_not_to": "home-evicts",
    "fixes/test_of_records.py::test_import_writes_into_the_folder_of_the_fix": "documents-exist",
    "fixes/test_of_records.py::test_read_only_is_reset_by_the_statement_of_the_fix": "read-only",
    "fixes/test_of_records.py::test_record_is_mended_as_the_fix_says": "ledger-unreadable lock-unreadable",
    "fixes/test_of_records.py::test_results_that_something_else_wrote_are_removed": "history-unreadable",
    "fixes/test_of_records.py::test_statement_is_written_as_the_fix_says": "unclear-statement session-statement",
    "fixes/test_of_records.py::test_two_stores_of_one_version_table_get_one_each": "shared-versions",
    "fixes/test_of_records.py::test_url_is_corrected": "wrong-password no-such-database",
    "fixes/test_of_revisions.py::test_file_is_written_as_the_fix_says": (
        "revision-failed rolled-back-inside alembic-refused not-committed env-failed missing-env "
        "env-setup-failed transaction-in-repeatable no-home"
    ),
    "fixes/test_of_revisions.py::test_what_is_no_file_of_the_project_is_one": "outside-project",
    "fixes/test_of_rows.py::test_document_is_written_as_the_fix_says": (
        "not-allowed no-suites empty-suite unknown-suite no-such-check bad-moment unknown-report "
        "report-lost suite-exists nothing-to-check unknown-column bad-expression no-privilege "
        "hidden-rows duplicate-backfill empty-backfill bad-code not-a-table key-missing "
        "key-not-unique key-nullable row-security unknown-partitions empty-partitions bad-partitions "
        "wrong-table no-maintain bad-job unknown-job job-failed convert-refused window-refused "
        "no-unique-index suite-lost order-impossible"
    ),
    "fixes/test_of_runs.py::test_answer_without_an_end_comes_from_another_server": "answer-too-large",
    "fixes/test_of_runs.py::test_defect_is_followed_by_status_and_up": "unexpected",
    "fixes/test_of_runs.py::test_history_that_is_lost_is_granted_or_left_out": "history-lost",
    "fixes/test_of_runs.py::test_interrupted_is_finished_by_the_same_command": "interrupted",
    "fixes/test_of_runs.py::test_lock_that_moved_is_looked_at_again": "lease-moved",
    "fixes/test_of_runs.py::test_lock_that_was_lost_is_taken_by_the_next_run": "lease-lost",
    "fixes/test_of_runs.py::test_newer_schema_is_known_to_the_release_that_wrote_it": "newer-schema",
    "fixes/test_of_runs.py::test_process_that_ended_is_run_again": "process-ended",
    "fixes/test_of_runs.py::test_server_that_refuses_takes_it_when_the_cause_is_gone": "server-refused",
    "fixes/test_of_runs.py::test_version_table_that_is_computed_is_written_down": "version-table-computed",
    "fixes/test_of_runs.py::test_wrong_database_is_the_one_of_the_option": "wrong-database",
    "fixes/test_of_runs.py::test_wrong_version_table_is_named_alike_in_both": "wrong-version-table",
    "fixes/test_of_settings.py::test_line_is_written_as_the_fix_says": (
        "unknown-environment no-such-option no-embedded-environment no-engine store-not-configured "
        "store-off toml-not-edited bad-url plan-environment unwritable-file no-such-rule "
        "bad-reference unreadable-file not-embedded no-snapshot bad-snapshot bad-statistics"
    ),
    "seventh/test_fixes_followed.py::test_file_without_a_draft_is_written_by_hand": "no-draft",
    "seventh/test_fixes_followed.py::test_server_without_import_is_written_by_hand_and_marked": "no-import",
    "seventh/test_fixes_followed.py::test_store_without_layout_is_written_by_hand": "no-layout",
    "stores/postgres/test_clickhouse.py::test_answer_that_is_lost_is_not_sent_again_and_the_next_up_counts_it_as_done": (  # noqa: E501 (the name of a test)
        "server-lost"
    ),
    "stores/postgres/test_convert.py::test_a_table_that_others_hold_is_not_waited_for": "window-in-the-way",
    "stores/postgres/test_hindrances.py::test_old_transaction_is_waited_for": "table-in-use",
    "stores/postgres/test_maintain.py::test_a_job_is_run_by_one_process_at_a_time": "job-runs-already",
    "stores/postgres/test_own_start.py::test_fix_of_several_runs_followed_gives_each_schema_a_store": ("several-runs"),
    "stores/postgres/test_tune.py::test_a_user_who_may_not_is_told_and_still_sees": "machine-unknown",
    "stores/postgres/test_tune.py::test_what_the_fix_asks_for_is_applied": (
        "unknown-setting dangerous-setting setting-refused"
    ),
}

# Why no test does what the fix says, with the codes: it asks for …
BY_PEOPLE = {
    "… another server, or another version of one": (
        "server-too-old server-too-new cluster-mode redirected read-only-replica not-influxdb no-such-org needless-key "
        "wrong-language capability-missing extension-missing"
    ),
    "… another installation of packages": "kind-broken missing-extra unsupported-package no-pages parser-broken",
    "… another user, machine or folder of the machine": "no-user-for-postgres foreign-folder engine-busy",
    "… somebody who knows what the data should be": "would-empty window-filled runs-unreadable not-comparable",
    "… patience: it goes by itself, or somebody ends what is in the way": "still-running home-silent",
    "… nothing: all is done, or it is to be reported": "backfill-complete not-open not-confirmed",
    "… a cause that the server's own words tell, different each time": (
        "statement-refused check-failed check-timeout export-failed"
    ),
}
