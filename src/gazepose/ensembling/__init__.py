"""Several runs' scores as one."""
