"""The titanium case of data fusion: its data, its states, its measurements."""
