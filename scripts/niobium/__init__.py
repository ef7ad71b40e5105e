"""The niobium case of data fusion: its data, and its crystal at rest."""
