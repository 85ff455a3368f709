"""What any training needs: checkpoints, shares of batches, repeatable randomness."""
