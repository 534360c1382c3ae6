-- description: Remove confidence per minute and its rows
DROP VIEW confidence_monitoring_mv SYNC;
DROP TABLE confidence_monitoring SYNC;
