"""The poster's tables: every strategy as a look-up into dense predictions, measured, priced and drawn."""
