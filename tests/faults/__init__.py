"""What apps, clients, labs, kernels and files do wrong, and where it is shown that nothing comes of it."""
