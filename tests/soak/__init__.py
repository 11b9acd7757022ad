"""The soak: an hour of virtual and ten minutes of real traffic, and what is left of it in memory, threads and files.

`python -m tests.soak` runs it, in a process of its own and outside CI's path: see `__main__`.
"""
