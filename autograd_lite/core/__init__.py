"""The engine. Read it in this order: tensor, op, sweep, state."""
