"""The evidence cache: what was measured once is not measured again."""
