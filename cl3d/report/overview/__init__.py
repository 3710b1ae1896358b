"""Which runs lie in folders, how far they are, and what they have come to; reads only."""
