-- description: Remove use per model version and its rows
DROP VIEW model_performance_mv SYNC;
DROP TABLE model_performance SYNC;
