-- description: Remove trading decisions and their rows
DROP TABLE trading_decisions_probabilistic SYNC;
