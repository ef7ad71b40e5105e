"""How the shipped aluminium model is made and judged; see scripts/train_al_hipnn.py."""
