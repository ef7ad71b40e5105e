"""Structure and dynamics from trajectories: RDF, density, diffusion, block errors."""
