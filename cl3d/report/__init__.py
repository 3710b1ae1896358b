"""What a person sees: the terminal, pictures."""
