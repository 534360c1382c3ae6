-- description: Remove live probability metrics and their rows
DROP TABLE probability_metrics_realtime SYNC;
