//! The checks of the house: layers, budgets, fresh docs.
