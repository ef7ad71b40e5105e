"""Operations on tables with VOTCA's digits."""
