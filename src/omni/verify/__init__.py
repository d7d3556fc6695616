"""Is it right? Checks, tiers, findings, coverage of analysis, baselines, gates."""
