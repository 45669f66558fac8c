"""A page on which a perceptron is trained: its programs, its data and its file."""
