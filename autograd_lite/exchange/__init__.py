"""What leaves for other libraries and comes from them; loaded when it is used."""
