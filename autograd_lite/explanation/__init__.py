"""A graph in words and numbers: names, sentences, and the nodes that belong together."""
