-- description: Remove model feedback and its rows
DROP TABLE model_feedback_events SYNC;
