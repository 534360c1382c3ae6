-- description: remove trading decisions and their rows
DROP TABLE trading_decisions_probabilistic SYNC;
