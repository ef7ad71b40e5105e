"""The general trainer: any species, layers and tensor order, labels of several levels of theory."""
