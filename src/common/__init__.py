"""What both lines of the suite share; knows no data set and no net."""
