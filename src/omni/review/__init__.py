"""How good is it? Evidence first; then models, which have to show what they claim."""
