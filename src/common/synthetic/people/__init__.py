"""Who invented people are: heads, skin, hair."""
