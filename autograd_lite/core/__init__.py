"""The engine, to be read in this order: tensor, op, sweep; state is what they look at."""
