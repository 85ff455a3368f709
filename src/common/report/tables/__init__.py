"""Result tables as text, LaTeX and csv."""
