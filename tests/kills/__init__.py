"""Commands killed at random moments and typed again: do they end as if never killed?"""
