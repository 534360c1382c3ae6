-- description: Remove daily performance and its rows
DROP VIEW probabilistic_performance_daily SYNC;
DROP TABLE probabilistic_performance_analytics SYNC;
