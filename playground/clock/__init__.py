"""What time it is and who may run: the lab's event loop, and the thread that it lives in."""
