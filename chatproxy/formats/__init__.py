"""Texts that more than one part reads or writes the same way. Needs nothing of the rest."""
