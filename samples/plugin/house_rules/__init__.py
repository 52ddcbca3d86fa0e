"""Rules of one team: archlint takes those of every module here."""
