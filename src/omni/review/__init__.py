"""How good is it? The ten-dimension scorecard, from evidence."""
