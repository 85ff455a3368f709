"""The four nets and their heatmaps; pure torch."""
