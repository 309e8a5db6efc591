"""How good recommendations are: ranking quality, predicted values, and what accuracy does not see."""
